"""The rows of a table that shows two texts side by side."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from .alignment import Pair
from .text_words import Side

RowKind = Literal["same", "changed", "removed", "added", "moved_from", "moved_to"]
RunKind = Literal["same", "removed", "added"]
_NO_SPACE = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line; a base's runs are `same` or `removed`, a head's `same` or `added`."""

    text: str
    kind: RunKind


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the side-by-side table; line numbers count from 1, and runs hold the line's end too.

    A removed or added row may have `same` runs: words that stand in a neighbouring line on the other side.
    """

    kind: RowKind
    base_number: int | None
    head_number: int | None
    base_runs: tuple[Run, ...] = ()
    head_runs: tuple[Run, ...] = ()
    move_id: int | None = None


@dataclass
class RowSource:
    """What the rows are made from; the runs of lines compared word by word, and the move a line belongs to, by line."""

    base: Sequence[str]
    head: Sequence[str]
    base_runs: Mapping[int, tuple[Run, ...]]
    head_runs: Mapping[int, tuple[Run, ...]]
    base_moves: Mapping[int, int]
    head_moves: Mapping[int, int]

    def rows(self, pairs: Sequence[Pair]) -> tuple[Row, ...]:
        """Every line of both texts once, in order; `pairs` are the lines that stand opposite each other."""
        rows: list[Row] = []
        base_from = head_from = 0
        for i, j in pairs:
            self._add_unpaired(rows, range(base_from, i), range(head_from, j))
            rows.append(self._paired(i, j))
            base_from, head_from = i + 1, j + 1
        self._add_unpaired(rows, range(base_from, len(self.base)), range(head_from, len(self.head)))
        return tuple(rows)

    def _paired(self, i: int, j: int) -> Row:
        if self.base[i] == self.head[j]:
            runs = (Run(self.base[i], "same"),)
            return Row("same", i + 1, j + 1, runs, runs)
        return Row("changed", i + 1, j + 1, self._base_runs(i), self._head_runs(j))

    def _add_unpaired(self, rows: list[Row], base: range, head: range) -> None:
        """Lines without a counterpart: first those of the base, then those of the head."""
        for i in base:
            move_id = self.base_moves.get(i)
            rows.append(Row("moved_from" if move_id else "removed", i + 1, None, self._base_runs(i), (), move_id))
        for j in head:
            move_id = self.head_moves.get(j)
            rows.append(Row("moved_to" if move_id else "added", None, j + 1, (), self._head_runs(j), move_id))

    def _base_runs(self, i: int) -> tuple[Run, ...]:
        return self.base_runs.get(i) or (Run(self.base[i], "removed"),)

    def _head_runs(self, j: int) -> tuple[Run, ...]:
        return self.head_runs.get(j) or (Run(self.head[j], "added"),)


def runs_of(side: Side, at: int, kind: RunKind) -> tuple[Run, ...]:
    """The runs of one line: `same` where its tokens have partners, `kind` elsewhere."""
    start, stop = side.starts[at], side.starts[at + 1]
    is_same = [partner >= 0 for partner in side.partner[start:stop]]
    return _joined(zip(side.tokens[start:stop], is_same, strict=True), kind)


def re_spaced_runs(base: str, head: str) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """The runs of two lines that are equal but for white space."""
    base_parts: list[tuple[str, bool]] = []
    head_parts: list[tuple[str, bool]] = []
    words = [*base.split(), ""]
    for old, new, word in zip(_NO_SPACE.split(base), _NO_SPACE.split(head), words, strict=True):
        start = _shared(old, new)
        stop = _shared(old[start:][::-1], new[start:][::-1])
        for parts, space in ((base_parts, old), (head_parts, new)):
            end = len(space) - stop
            parts += [(space[:start], True), (space[start:end], False), (space[end:] + word, True)]
    return _joined(base_parts, "removed"), _joined(head_parts, "added")


def _shared(one: str, other: str) -> int:
    """How many characters two texts share from their start."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (x, y) in enumerate(pairs) if x != y), min(len(one), len(other)))


def _joined(parts: Iterable[tuple[str, bool]], kind: RunKind) -> tuple[Run, ...]:
    """Runs of the parts (text, is it the same), neighbours of one kind as one run."""
    groups = groupby((part for part in parts if part[0]), key=lambda part: part[1])
    return tuple(Run("".join(text for text, _ in group), "same" if same else kind) for same, group in groups)
