"""Which version brought each line of a text: lines that stay or move keep theirs, the others get the new one."""

from collections.abc import Sequence
from dataclasses import dataclass

from .text_lines import align_lines, pair_equal_edges
from .text_moves import find_moves
from .text_tokens import split_lines


@dataclass(frozen=True, slots=True)
class BlameLine:
    """A line of the newest text (numbers count from 1, without its line end) and the version that brought it."""

    number: int
    text: str
    version: int


def blame(versions: Sequence[tuple[int, str]]) -> list[BlameLine]:
    """The lines of the last text, each with the number of the version that brought it; versions are from old to new."""
    lines: list[str] = []
    brought_by: list[int] = []
    for version, text in versions:
        new_lines = split_lines(text)
        new_brought_by = [version] * len(new_lines)
        for before, after in _kept(lines, new_lines):
            new_brought_by[after] = brought_by[before]
        lines, brought_by = new_lines, new_brought_by
    return [
        BlameLine(number, line.rstrip("\r\n"), version)
        for number, (line, version) in enumerate(zip(lines, brought_by, strict=True), 1)
    ]


def _kept(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """The lines that stand in both texts, those that moved too."""
    pairs = pair_equal_edges(align_lines(before, after)[0], before, after)
    paired_before, paired_after = {i for i, _ in pairs}, {j for _, j in pairs}
    removed = [i for i in range(len(before)) if i not in paired_before]
    added = [j for j in range(len(after)) if j not in paired_after]
    for move in find_moves(before, after, removed, added):
        pairs += zip(move.base_lines, move.head_lines, strict=True)
    return [(i, j) for i, j in pairs if before[i].rstrip("\r\n") == after[j].rstrip("\r\n")]
