"""Blame: each line of the newest text with the version that brought it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.blame import blame

LINES = st.lists(st.sampled_from(["a", "b", "c c", "", "}", "日本", "مرحبا"]), max_size=8)
TEXTS = st.lists(LINES.map(lambda lines: "".join(f"{line}\n" for line in lines)), min_size=1, max_size=5)


@given(TEXTS)
@settings(max_examples=60)
def test_the_lines_are_those_of_the_newest_text_and_each_stood_in_its_version(texts: list[str]) -> None:
    versions = list(enumerate(texts, 1))
    lines = blame(versions)
    assert "".join(f"{line.text}\n" for line in lines) == texts[-1]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        assert line.text in texts[line.version - 1].split("\n")


@given(TEXTS)
@settings(max_examples=30)
def test_publishing_the_same_text_again_changes_no_owner(texts: list[str]) -> None:
    versions = list(enumerate(texts, 1))
    assert blame([*versions, (99, texts[-1])]) == blame(versions)


def test_a_moved_line_keeps_its_version_and_a_changed_one_gets_the_new() -> None:
    moved = "Confirm each date by repeating the weekday and the day of the month.\n"
    texts = [(1, moved + "One.\nTwo.\nThree.\n"), (7, "One.\nTwo!\nThree.\n" + moved)]
    assert [line.version for line in blame(texts)] == [1, 7, 1, 1]


def test_a_missing_line_end_is_no_change_of_the_line() -> None:
    assert [line.version for line in blame([(1, "One."), (2, "One.\nTwo.")])] == [1, 2]
