"""Two ways to show a difference's rows: unchanged parts folded away, and both texts in one column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, Literal, Protocol, TypeVar

from .text_rows import Row, Run


class _HasKind(Protocol):
    @property
    def kind(self) -> str: ...


R = TypeVar("R", bound=_HasKind)


@dataclass(frozen=True, slots=True)
class InlineRow:
    """One row of the unified table: a line of the base, of the head, or of both."""

    kind: Literal["same", "removed", "added", "moved_from", "moved_to"]
    base_number: int | None
    head_number: int | None
    runs: tuple[Run, ...]
    move_id: int | None = None


@dataclass(frozen=True, slots=True)
class Fold(Generic[R]):
    """`count` unchanged rows that the page shows as one until somebody unfolds them."""

    count: int
    rows: tuple[R, ...]


def fold(
    rows: Sequence[R], context: int = 3, *, is_open: Callable[[R], bool] = lambda _row: False
) -> tuple[R | Fold[R], ...]:
    """The rows with long unchanged parts folded, `context` rows before and after each change left open.

    A part is folded from two rows on: hiding one row behind one row helps nobody. A row that `is_open` stands open like
    a change, with its context.
    """
    folded: list[R | Fold[R]] = []
    start = 0
    for is_same, group in groupby(rows, key=lambda row: row.kind == "same" and not is_open(row)):
        part = tuple(group)
        stop = start + len(part)
        before = 0 if start == 0 else context
        after = 0 if stop == len(rows) else context
        hidden = len(part) - before - after
        if is_same and hidden > 1:
            middle = part[before : before + hidden]
            folded += [*part[:before], Fold(hidden, middle), *part[before + hidden :]]
        else:
            folded += part
        start = stop
    return tuple(folded)


def inline(rows: Sequence[Row]) -> tuple[InlineRow, ...]:
    """The rows in one column: in each changed part first the lines of the base, then those of the head."""
    lines: list[InlineRow] = []
    for kind, group in groupby(rows, key=lambda row: row.kind if row.kind in _ALONE else "edited"):
        part = tuple(group)
        if kind == "same":
            lines += [InlineRow("same", row.base_number, row.head_number, row.base_runs) for row in part]
        elif kind == "moved_from":
            lines += [InlineRow("moved_from", row.base_number, None, row.base_runs, row.move_id) for row in part]
        elif kind == "moved_to":
            lines += [InlineRow("moved_to", None, row.head_number, row.head_runs, row.move_id) for row in part]
        else:
            lines += [InlineRow("removed", row.base_number, None, row.base_runs) for row in part if row.base_number]
            lines += [InlineRow("added", None, row.head_number, row.head_runs) for row in part if row.head_number]
    return tuple(lines)


_ALONE = frozenset({"same", "moved_from", "moved_to"})
