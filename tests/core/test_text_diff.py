"""The text difference: applied to the base it gives the head, to the byte; moves and white space are seen."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.text_diff import apply, diff_text, revert
from agentversions.core.text_views import Fold, fold, inline

PIECES = st.sampled_from(
    [
        *("the ", "caller ", "# Role", "{{name}}", "<b>", "-", "a", "b "),
        *("\n", "\n\n", "\r\n", "\r", "  ", "\t", "\u00a0", "\u2028", "\x1b[31m"),
        *("é", "e\u0301", "😀", "👨\u200d👩\u200d👧", "مرحبا ", "你好", "。"),
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def steps(corpus: Path) -> Iterator[tuple[str, str, str]]:
    """Every step of every real history: its name, the text before and after."""
    for folder in sorted((corpus / "histories").iterdir()):
        history = json.loads((folder / "history.json").read_text(encoding="utf-8"))["history"]
        texts = [(folder / each["file"]).read_bytes().decode("utf-8") for each in history]
        for number, (before, after) in enumerate(itertools.pairwise(texts), 2):
            yield f"{folder.name} {number}", before, after


@settings(deadline=None, max_examples=300)
@given(TEXTS, TEXTS)
def test_applying_the_difference_gives_the_head_and_reverting_the_base(base: str, head: str) -> None:
    diff = diff_text(base, head)
    assert apply(base, diff) == head
    assert revert(head, diff) == base
    assert diff.is_identical == (base == head)


@settings(deadline=None, max_examples=100)
@given(TEXTS, TEXTS)
def test_the_law_holds_when_the_time_is_over_at_once(base: str, head: str) -> None:
    ticks = itertools.count(0.0, 10.0)
    diff = diff_text(base, head, monotonic=lambda: next(ticks))
    assert apply(base, diff) == head


def test_every_step_of_the_real_histories_is_rebuilt_to_the_byte(corpus: Path) -> None:
    count = 0
    for name, before, after in steps(corpus):
        diff = diff_text(before, after)
        assert apply(before, diff) == after, name
        assert revert(after, diff) == before, name
        count += 1
    assert count > 500


def test_only_the_changed_words_of_a_line_are_marked() -> None:
    diff = diff_text("a\nUse short sentences.\nz\n", "a\nUse long sentences.\nz\n")
    (row,) = [row for row in diff.rows if row.kind == "changed"]
    assert [run.text for run in row.base_runs if run.kind == "removed"] == ["short"]
    assert [run.text for run in row.head_runs if run.kind == "added"] == ["long"]
    assert (row.base_number, row.head_number) == (2, 2)
    assert (diff.words_added, diff.words_removed) == (1, 1)


def test_chinese_is_compared_by_character() -> None:
    diff = diff_text("请问您需要什么帮助", "请问您需要哪些帮助")
    removed = [run.text for row in diff.rows for run in row.base_runs if run.kind == "removed"]
    assert "".join(removed) == "什么"


@pytest.mark.parametrize(
    ("base", "head"), [("a b\n", "a  b\n"), ("a\n", "a"), ("a\r\n", "a\n"), ("a b", "a\u00a0b"), ("a \n", "a\n")]
)
def test_a_change_of_white_space_alone_is_visible(base: str, head: str) -> None:
    diff = diff_text(base, head)
    assert not diff.is_identical
    assert diff.is_white_space_only
    assert any(run.kind != "same" for row in diff.rows for run in (*row.base_runs, *row.head_runs))


def test_a_moved_paragraph_is_recognised_as_moved() -> None:
    paragraph = "# Billing\nYou may read out the balance after the caller gave their number.\nNever give advice.\n"
    rest = "".join(f"Rule {number} stays where it stands.\n" for number in range(12))
    diff = diff_text(paragraph + rest, rest + paragraph)
    assert {row.kind for row in diff.rows} == {"same", "moved_from", "moved_to"}
    assert len(diff.moves) == 1
    assert apply(paragraph + rest, diff) == rest + paragraph


def test_unchanged_parts_fold_around_a_change() -> None:
    lines = [f"line {number}\n" for number in range(30)]
    changed = [*lines[:15], "other\n", *lines[16:]]
    folded = fold(diff_text("".join(lines), "".join(changed)).rows)
    folds = [part for part in folded if isinstance(part, Fold)]
    assert [part.count for part in folds] == [12, 11]
    assert sum(part.count if isinstance(part, Fold) else 1 for part in folded) == 30


def test_the_inline_view_shows_each_side_once() -> None:
    diff = diff_text("a\nold words\n", "a\nnew words\n")
    assert [(row.kind, "".join(run.text for run in row.runs)) for row in inline(diff.rows)] == [
        ("same", "a\n"),
        ("removed", "old words\n"),
        ("added", "new words\n"),
    ]


def test_what_took_too_long_is_said_to_be_approximate() -> None:
    ticks = itertools.count(0.0, 10.0)
    base = "\n".join(f"first {number} of it" for number in range(50))
    head = "\n".join(f"second {number} in it" for number in range(50))
    diff = diff_text(base, head, monotonic=lambda: next(ticks))
    assert diff.is_approximate
    assert diff.approximate_reason
    assert apply(base, diff) == head
