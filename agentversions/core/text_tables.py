"""The rows of a difference as a page shows them: unchanged parts folded, moved blocks linked, white space visible."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from .text_diff import Move, TextDiff
from .text_rows import Row, Run
from .text_views import Fold, InlineRow, fold, inline

ROW_LIMIT = 1_500
"""Rows that a page shows of one text before it offers the rest."""
HIDDEN_LIMIT = 200
"""Folded rows that travel with the page; longer folds are loaded when somebody asks for them."""
VISIBLE = str.maketrans({" ": "·", "\t": "⇥", "\n": "↵", "\r": "␍", "\u00a0": "⍽"})


@dataclass(frozen=True, slots=True)
class Look:
    """How a reader wants to see differences."""

    is_inline: bool = False
    is_unfolded: bool = False
    has_all_rows: bool = False


@dataclass(frozen=True, slots=True)
class MoveLink:
    """The link between both places of a moved block; `line` is where the block stands on the other side."""

    anchor: str
    other: str
    line: int
    is_from: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the base's side and the head's side; inline rows have everything in `runs`. `is_start` marks the first
    row of each changed part, `is_folded` a row behind a gap, `link` is on the first row of a moved block."""

    kind: str
    base_number: int | None
    head_number: int | None
    base_runs: tuple[Run, ...] = ()
    head_runs: tuple[Run, ...] = ()
    runs: tuple[Run, ...] = ()
    is_start: bool = False
    is_folded: bool = False
    link: MoveLink | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """`count` unchanged rows. They follow, folded, unless there are too many to travel with the page."""

    count: int


@dataclass(frozen=True, slots=True)
class TextTable:
    """A text's difference, ready for the page. `left_out` counts the rows beyond the limit; `note` says why the words
    were not compared completely."""

    rows: tuple[Line | Gap, ...]
    is_inline: bool
    left_out: int
    note: str


def text_table(diff: TextDiff, *, anchor: str, look: Look, kept: Collection[int] = ()) -> TextTable:
    """The table of one text's difference; `anchor` makes its ids unique on the page. The head's lines `kept` (from 1)
    are never folded."""
    links = _move_links(diff.moves, anchor)
    lines = list(_lines(inline(diff.rows) if look.is_inline else diff.rows, links))
    rows: list[Line | Gap] = [*lines] if look.is_unfolded else list(_folded(lines, kept))
    shown = rows if look.has_all_rows else rows[:ROW_LIMIT]
    return TextTable(tuple(shown), look.is_inline, len(rows) - len(shown), diff.approximate_reason)


def one_line(diff: TextDiff) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Both sides of a short text's difference as runs, for a cell of the settings table."""
    base = tuple(_visible(run) for row in diff.rows for run in row.base_runs)
    return base, tuple(_visible(run) for row in diff.rows for run in row.head_runs)


def _folded(lines: Sequence[Line], kept: Collection[int]) -> Iterator[Line | Gap]:
    for part in fold(lines, is_open=lambda line: line.head_number in kept):
        if isinstance(part, Fold):
            yield Gap(part.count)
            if part.count <= HIDDEN_LIMIT:
                yield from (replace(line, is_folded=True) for line in part.rows)
        else:
            yield part


def _lines(rows: Sequence[Row | InlineRow], links: dict[tuple[str, int], MoveLink]) -> Iterator[Line]:
    was_same = True
    for row in rows:
        number = (row.base_number if row.kind == "moved_from" else row.head_number) or 0
        line = Line(
            kind=row.kind,
            base_number=row.base_number,
            head_number=row.head_number,
            is_start=row.kind != "same" and was_same,
            link=links.get((row.kind, number)),
        )
        if isinstance(row, InlineRow):
            yield replace(line, runs=_shown(row.runs))
        else:
            yield replace(line, base_runs=_shown(row.base_runs), head_runs=_shown(row.head_runs))
        was_same = row.kind == "same"


def _move_links(moves: Sequence[Move], anchor: str) -> dict[tuple[str, int], MoveLink]:
    """The links by kind and line number of the row that carries them."""
    links: dict[tuple[str, int], MoveLink] = {}
    for number, move in enumerate(moves, 1):
        here, there = f"{anchor}--from-{number}", f"{anchor}--to-{number}"
        links["moved_from", move.base_from + 1] = MoveLink(here, there, move.head_from + 1, is_from=True)
        links["moved_to", move.head_from + 1] = MoveLink(there, here, move.base_from + 1, is_from=False)
    return links


def _shown(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """The runs without the line's end. White space that changed inside a line becomes visible signs; the indentation
    of a line that is new or gone as a whole is not marked."""
    if not runs:
        return runs
    if len(runs) == 1:
        text, kind = runs[0].text.rstrip("\r\n"), runs[0].kind
        bare = text.lstrip()
        return tuple(run for run in (Run(text[: len(text) - len(bare)], "same"), Run(bare, kind)) if run.text)
    *before, last = (_visible(run) for run in runs)
    return (*before, Run(last.text.rstrip("\r\n"), last.kind))


def _visible(run: Run) -> Run:
    return Run(run.text.translate(VISIBLE), run.kind) if run.kind != "same" and run.text.isspace() else run
