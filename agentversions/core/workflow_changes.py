"""Both workflows of a comparison as one graph: what was added, removed, changed or stayed, placed for drawing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .changes import Change, Comparison, Document
from .graph_layout import GraphEdge, GraphNode, Layout, PlacedNode, layout
from .json_text import pretty
from .paths import ItemKey, join
from .text_diff import diff_text
from .text_tables import Look, TextTable, text_table

WORDS = {"added": "added", "removed": "removed", "changed": "changed", "same": "unchanged"}
DRAWN_NODES = 300
"""Nodes beyond which a drawing helps nobody; the page says so and shows the JSON only."""


@dataclass(frozen=True)
class DrawnNode:
    """A node in its place; `anchor` is where its difference stands on the page, empty when it has none."""

    placed: PlacedNode
    anchor: str


@dataclass(frozen=True)
class WorkflowDrawing:
    """The drawing (None when it would be too large), the difference of the JSON, and the counts in words."""

    picture: Layout | None
    nodes: tuple[DrawnNode, ...]
    json: TextTable
    words: str


def draw_difference(comparison: Comparison, *, look: Look) -> WorkflowDrawing | None:
    """The drawing of what differs in the workflows, None when they are the same."""
    changes = {change.path: change for change in comparison.changes if change.path.startswith("workflow.")}
    if not changes:
        return None
    before, after = comparison.before["workflow"], comparison.after["workflow"]
    kinds = {path: change.kind for path, change in changes.items()}
    nodes, edges = list(_nodes(before, after, kinds)), list(_edges(before, after, kinds))
    picture = layout(nodes, edges) if len(nodes) <= DRAWN_NODES else None
    drawn = tuple(DrawnNode(placed, _anchor(placed, changes)) for placed in picture.nodes) if picture else ()
    json = text_table(
        diff_text(pretty(before), pretty(after)), anchor="workflow-json", look=replace(look, is_inline=True)
    )
    return WorkflowDrawing(picture, drawn, json, _say_counts(nodes, edges))


def _anchor(placed: PlacedNode, changes: dict[str, Change]) -> str:
    change = changes.get(_node_path(placed.node.id))
    return change.anchor if change else ""


def _node_path(name: str) -> str:
    return join(("workflow", "nodes", ItemKey(name)))


def _nodes(before: Document, after: Document, kinds: Mapping[str, str]) -> Iterator[GraphNode]:
    """Every node of both sides once, the head's where both have it."""
    for node in ({item["id"]: item for side in (before, after) for item in side["nodes"]}).values():
        kind = kinds.get(_node_path(node["id"]), "same")
        yield GraphNode(node["id"], node["label"] or node["id"], kind)


def _edges(before: Document, after: Document, kinds: Mapping[str, str]) -> Iterator[GraphEdge]:
    """Every edge of both sides; an edge that leads elsewhere now is drawn twice, removed there and added here."""
    old = {item["id"]: item for item in before["edges"]}
    new = {item["id"]: item for item in after["edges"]}
    for name, edge in {**old, **new}.items():
        kind = kinds.get(join(("workflow", "edges", ItemKey(name))), "same")
        ends = {(side[name]["source"], side[name]["target"]) for side in (old, new) if name in side}
        if len(ends) == 2:
            yield _edge(old[name], "removed")
            yield _edge(edge, "added")
        else:
            yield _edge(edge, kind)


def _edge(edge: Document, kind: str) -> GraphEdge:
    return GraphEdge(edge["id"], edge["source"], edge["target"], edge["condition"], kind)


def _say_counts(nodes: list[GraphNode], edges: list[GraphEdge]) -> str:
    """`1 node added, 2 changed; 1 edge removed`."""
    said = []
    for name, items in (("node", nodes), ("edge", edges)):
        counts = Counter(item.kind for item in items)
        parts = [f"{counts[kind]} {word}" for kind, word in WORDS.items() if kind != "same" and counts[kind]]
        if parts:
            number = next(counts[kind] for kind in WORDS if kind != "same" and counts[kind])
            plural = name if number == 1 else f"{name}s"
            said.append(", ".join([parts[0].replace(" ", f" {plural} ", 1), *parts[1:]]))
    return "; ".join(said)
