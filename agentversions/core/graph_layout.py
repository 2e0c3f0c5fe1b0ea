"""Places the steps of a workflow in rows and routes the ways between them, so that a page can draw the graph.

The layered method of Sugiyama, Tagawa and Toda (1981): ways that close a circle are turned round for the layering,
every step stands in a row below those that lead to it, rows are ordered by the average place of their neighbours. All
work is bounded: a few sweeps, and rows that would be too wide are broken.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NODE_WIDTH, NODE_HEIGHT = 168, 44
GAP_X, GAP_Y = 28, 64
MARGIN = 24
LONGEST_ROW = 8
SWEEPS = 4
LANE = 14


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A step: its id, what is written in its box, and a word for its look (a type, or added, removed, changed)."""

    id: str
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A way from one step to another, with its condition and a word for its look."""

    id: str
    source: str
    target: str
    label: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A step with the box it is drawn in: left top corner, width and height, in pixels."""

    node: GraphNode
    x: int
    y: int
    width: int = NODE_WIDTH
    height: int = NODE_HEIGHT

    @property
    def middle(self) -> int:
        """Where its ways start and end, across."""
        return self.x + self.width // 2

    @property
    def baseline(self) -> int:
        """Where its label stands."""
        return self.y + self.height // 2 + 4

    @property
    def text(self) -> str:
        """The label, shortened to the box."""
        label = " ".join((self.node.label or self.node.id).split())
        return label if len(label) <= 22 else f"{label[:21]}…"


@dataclass(frozen=True, slots=True)
class RoutedEdge:
    """A way with the SVG path it is drawn as (`d`), and the place of its label. `is_backward`: it leads up or aside."""

    edge: GraphEdge
    d: str
    label_x: int
    label_y: int
    is_backward: bool

    @property
    def text(self) -> str:
        """The condition, shortened."""
        label = " ".join(self.edge.label.split())
        return label if len(label) <= 26 else f"{label[:25]}…"


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything placed, in a picture of this size. Ways to steps that do not exist are in `dangling`, not drawn."""

    nodes: tuple[PlacedNode, ...]
    edges: tuple[RoutedEdge, ...]
    width: int
    height: int
    dangling: tuple[GraphEdge, ...] = ()


def layout(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge]) -> Layout:
    """Place and route; the same graph always gives the same picture. Circles, loops and parallel ways are allowed."""
    known = {node.id for node in nodes}
    drawn = [edge for edge in edges if edge.source in known and edge.target in known]
    dangling = tuple(edge for edge in edges if edge.source not in known or edge.target not in known)
    names = [node.id for node in nodes]
    forward = _without_circles(names, drawn)
    rows = _broken(_ordered(_layers(names, forward), forward))
    placed = _placed(rows, {node.id: node for node in nodes})
    routed = _routed(drawn, placed)
    width = max((item.x + item.width for item in placed.values()), default=0) + MARGIN
    backward = sum(edge.is_backward for edge in routed)
    height = max((item.y + item.height for item in placed.values()), default=0) + MARGIN
    return Layout(tuple(placed[name] for name in names), routed, width + min(backward, 8) * LANE, height, dangling)


def _without_circles(names: list[str], edges: list[GraphEdge]) -> list[tuple[str, str]]:
    """The ways as pairs, those that close a circle turned round, loops left out. Depth first, without recursion."""
    targets: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.source != edge.target:
            targets[edge.source].append(edge.target)
    state: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []
    starts = [name for name in names if name not in {edge.target for edge in edges if edge.source != edge.target}]
    for start in [*starts, *names]:
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(targets[start]))]
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                state[name] = 2
                stack.pop()
            elif state.get(target) == 1:
                pairs.append((target, name))
            else:
                pairs.append((name, target))
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(targets[target])))
    return list(dict.fromkeys(pairs))


def _layers(names: list[str], pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Each step one row below the lowest step that leads to it."""
    targets: dict[str, list[str]] = defaultdict(list)
    waiting = dict.fromkeys(names, 0)
    for source, target in pairs:
        targets[source].append(target)
        waiting[target] += 1
    depth = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    for name in ready:
        for target in targets[name]:
            depth[target] = max(depth[target], depth[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    rows: dict[int, list[str]] = defaultdict(list)
    for name in names:
        rows[depth[name]].append(name)
    return [rows[level] for level in sorted(rows)]


def _ordered(rows: list[list[str]], pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Each row by the average place of its neighbours above, then below, a few times, so that fewer ways cross."""
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for source, target in pairs:
        above[target].append(source)
        below[source].append(target)
    ordered = [list(row) for row in rows]
    place = {name: index / max(len(row), 1) for row in ordered for index, name in enumerate(row)}
    for sweep in range(SWEEPS):
        neighbours = below if sweep % 2 else above
        for row in reversed(ordered) if sweep % 2 else ordered:
            wanted = {name: _average((place[other] for other in neighbours[name]), place[name]) for name in row}
            row.sort(key=wanted.__getitem__)
            place.update({name: index / max(len(row), 1) for index, name in enumerate(row)})
    return ordered


def _average(places: Iterable[float], otherwise: float) -> float:
    values = list(places)
    return sum(values) / len(values) if values else otherwise


def _broken(rows: list[list[str]]) -> list[list[str]]:
    """Rows of at most so many steps that the picture stays readable."""
    return [row[start : start + LONGEST_ROW] for row in rows for start in range(0, len(row), LONGEST_ROW)]


def _placed(rows: list[list[str]], nodes: dict[str, GraphNode]) -> dict[str, PlacedNode]:
    widest = max((len(row) for row in rows), default=0)
    full = widest * NODE_WIDTH + max(widest - 1, 0) * GAP_X
    placed = {}
    for level, row in enumerate(rows):
        start = MARGIN + (full - len(row) * NODE_WIDTH - (len(row) - 1) * GAP_X) // 2
        for index, name in enumerate(row):
            x, y = start + index * (NODE_WIDTH + GAP_X), MARGIN + level * (NODE_HEIGHT + GAP_Y)
            placed[name] = PlacedNode(nodes[name], x, y)
    return placed


def _routed(edges: list[GraphEdge], placed: dict[str, PlacedNode]) -> tuple[RoutedEdge, ...]:
    right = max((item.x + item.width for item in placed.values()), default=0)
    routed: list[RoutedEdge] = []
    lanes = 0
    parallel: dict[tuple[str, str], int] = defaultdict(int)
    for edge in edges:
        source, target = placed[edge.source], placed[edge.target]
        shift = parallel[(edge.source, edge.target)] * LANE
        parallel[(edge.source, edge.target)] += 1
        if target.y > source.y:
            routed.append(_downward(edge, source, target, shift))
        else:
            lanes += 1
            routed.append(_backward(edge, source, target, right + LANE * (1 + lanes % 8)))
    return tuple(routed)


def _downward(edge: GraphEdge, source: PlacedNode, target: PlacedNode, shift: int) -> RoutedEdge:
    """A curve from the foot of one box to the head of the other."""
    x1, y1, x2, y2 = source.middle + shift, source.y + source.height, target.middle + shift, target.y
    bend = (y2 - y1) // 2
    d = f"M{x1} {y1} C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
    return RoutedEdge(edge, d, (x1 + x2) // 2, (y1 + y2) // 2 + shift, is_backward=False)


def _backward(edge: GraphEdge, source: PlacedNode, target: PlacedNode, lane: int) -> RoutedEdge:
    """Out at the right side, up along a lane beside the picture, and in at the right side of the other box."""
    x1, y1 = source.x + source.width, source.y + source.height // 2 + 6
    x2, y2 = target.x + target.width, target.y + target.height // 2 - 6
    d = f"M{x1} {y1} C{lane} {y1} {lane} {y1} {lane} {(y1 + y2) // 2} C{lane} {y2} {lane} {y2} {x2} {y2}"
    return RoutedEdge(edge, d, lane, (y1 + y2) // 2, is_backward=True)
