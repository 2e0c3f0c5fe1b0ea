"""The drawn graph of a workflow: every step has its place, every way its path, and all of it in bounded time."""

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from agentversions.core.graph_layout import GraphEdge, GraphNode, layout


def draw(pairs: list[tuple[str, str]], extra: tuple[str, ...] = ()):
    names = list(dict.fromkeys([name for pair in pairs for name in pair] + list(extra)))
    edges = [GraphEdge(str(number), source, target) for number, (source, target) in enumerate(pairs)]
    return layout([GraphNode(name, name) for name in names], edges)


def rows_of(drawing) -> dict[str, int]:
    return {item.node.id: item.y for item in drawing.nodes}


def test_a_step_stands_below_those_that_lead_to_it() -> None:
    rows = rows_of(draw([("start", "ask"), ("ask", "book"), ("start", "book"), ("book", "end")]))
    assert rows["start"] < rows["ask"] < rows["book"] < rows["end"]


def test_a_circle_is_drawn_with_one_way_back() -> None:
    drawing = draw([("ask", "check"), ("check", "book"), ("check", "ask")])
    assert [edge.edge.target for edge in drawing.edges if edge.is_backward] == ["ask"]


def test_a_loop_and_parallel_ways_have_paths_of_their_own() -> None:
    drawing = draw([("a", "a"), ("a", "b"), ("a", "b")])
    assert len({edge.d for edge in drawing.edges}) == 3


def test_a_way_to_nowhere_is_named_and_not_drawn() -> None:
    drawing = layout([GraphNode("a", "A")], [GraphEdge("e", "a", "gone")])
    assert [edge.id for edge in drawing.dangling] == ["e"]
    assert drawing.edges == ()


def test_an_empty_workflow_is_an_empty_picture() -> None:
    assert layout([], []).nodes == ()


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_no_two_boxes_overlap_and_all_are_inside(pairs: list[tuple[int, int]]) -> None:
    drawing = draw([(str(source), str(target)) for source, target in pairs])
    corners = {(item.x, item.y) for item in drawing.nodes}
    assert len(corners) == len(drawing.nodes)
    assert all(item.x >= 0 and item.x + item.width <= drawing.width for item in drawing.nodes)
    assert all(item.y >= 0 and item.y + item.height <= drawing.height for item in drawing.nodes)
    assert len(drawing.edges) == len(pairs)


def test_hundreds_of_steps_are_placed_quickly() -> None:
    dice = random.Random(7)
    pairs = [(str(dice.randrange(500)), str(dice.randrange(500))) for _ in range(1_500)]
    started = time.perf_counter()
    drawing = draw(pairs)
    assert time.perf_counter() - started < 1
    assert drawing.width < 2_000
