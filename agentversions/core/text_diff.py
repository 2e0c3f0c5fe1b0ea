"""What changed between two texts, for people: lines first, then words inside changed lines, in bounded time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .alignment import Budget
from .text_comparison import Comparison
from .text_moves import Move
from .text_rows import Row, Run
from .text_tokens import split_lines
from .text_views import Fold, InlineRow, fold, inline

__all__ = ["Fold", "InlineRow", "Move", "NotTheComparedText", "Row", "Run", "TextDiff", "WordCount"]
__all__ += ["apply", "diff_text", "fold", "inline", "revert"]

TOO_DIFFERENT = (
    "These texts are too long and too different to compare word by word; parts of them are compared as whole lines."
)
# About 300 ms of table filling; the time limit ends most comparisons earlier.
_WORD_CELLS = 800_000_000


class NotTheComparedText(ValueError):
    """The text is not the one that the difference was made from."""


@dataclass(frozen=True, slots=True)
class WordCount:
    """How many words a difference adds and removes."""

    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class TextDiff:
    """The difference of two texts. Moved lines count neither as added nor as removed words.

    `fewest` counts before anything was given up for easier reading, with moved lines as removed and added.
    """

    rows: tuple[Row, ...]
    words_added: int
    words_removed: int
    fewest: WordCount
    moves: tuple[Move, ...]
    is_identical: bool
    is_approximate: bool

    @property
    def approximate_reason(self) -> str:
        """A sentence for the page, empty when the words were compared completely."""
        return TOO_DIFFERENT if self.is_approximate else ""

    @property
    def is_white_space_only(self) -> bool:
        """True when nothing but spaces, tabs and line ends differs."""
        runs = (run for row in self.rows for run in (*row.base_runs, *row.head_runs))
        return not self.is_identical and all(run.kind == "same" or run.text.isspace() for run in runs)


def diff_text(
    base: str, head: str, *, time_limit_s: float = 0.25, monotonic: Callable[[], float] = time.monotonic
) -> TextDiff:
    """Compare two texts; after the time limit the rest is compared as whole lines and the result says so."""
    deadline = monotonic() + time_limit_s
    budget = Budget(_WORD_CELLS, out_of_time=lambda: monotonic() >= deadline)
    comparison = Comparison(split_lines(base), split_lines(head), budget)
    return TextDiff(
        rows=comparison.rows(),
        words_added=comparison.words_added,
        words_removed=comparison.words_removed,
        fewest=WordCount(comparison.fewest_added, comparison.fewest_removed),
        moves=tuple(comparison.moves),
        is_identical=base == head,
        is_approximate=budget.is_spent or not comparison.has_every_line,
    )


def apply(base: str, diff: TextDiff) -> str:
    """The head, made from the base and the difference; refuses a text that is not the difference's base."""
    return _rebuild(base, [(row.move_id, row.base_runs, row.head_runs) for row in diff.rows])


def revert(head: str, diff: TextDiff) -> str:
    """The base, made from the head and the difference; refuses a text that is not the difference's head."""
    return _rebuild(head, [(row.move_id, row.head_runs, row.base_runs) for row in diff.rows])


def _rebuild(text: str, rows: Iterable[tuple[int | None, tuple[Run, ...], tuple[Run, ...]]]) -> str:
    """Cut what stays out of `text`, and put it together with what is new on the other side."""
    kept: dict[int | None, list[str]] = {}
    at = 0
    rows = list(rows)
    for move_id, runs, _ in rows:
        for run in runs:
            piece = text[at : at + len(run.text)]
            if piece != run.text:
                raise NotTheComparedText(f"The text differs from the compared one at character {at + 1}.")
            at += len(piece)
            if run.kind == "same":
                kept.setdefault(move_id, []).append(piece)
    if at != len(text):
        raise NotTheComparedText(f"The text goes on after the compared one's end at character {at + 1}.")
    streams = {move_id: _Stream("".join(pieces)) for move_id, pieces in kept.items()}
    return "".join(
        streams[move_id].read(len(run.text)) if run.kind == "same" else run.text
        for move_id, _, runs in rows
        for run in runs
    )


class _Stream:
    """Text read piece by piece."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def read(self, length: int) -> str:
        self._at += length
        return self._text[self._at - length : self._at]
