"""Files of cases: every format gives back what was written, real data sets are read, bad ones are named and bounded."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.evaluations.cases import Case, read_case
from agentversions.core.evaluations.files import BadFile, Found, read_cases, write_cases

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40)


def read(name: str, content: str | bytes) -> list[Found]:
    return list(read_cases(name, io.BytesIO(content.encode() if isinstance(content, str) else content)))


def kept(name: str, content: str | bytes) -> list[Case]:
    found = read(name, content)
    assert [one.problem for one in found if one.problem] == []
    return [one.case for one in found if one.case]


@st.composite
def any_case(draw: st.DrawFn) -> Case:
    words = TEXT.filter(str.strip)
    document: dict[str, Any] = {
        "name": draw(words),
        "turns": [{"role": "user", "text": draw(words)}],
        "expect": [{"kind": "json_equals", "path": "a", "equals": draw(st.integers(-9, 9) | TEXT)}],
        "weight": draw(st.sampled_from([1.0, 2.5])),
        "must_pass": draw(st.booleans()),
        "tags": draw(st.lists(st.sampled_from(["a", "b"]))),
        "fixtures": [{"name": "f", "result": {"text": draw(TEXT)}}],
    }
    return read_case(document)


@pytest.mark.parametrize("form", ["json", "csv", "yaml"])
@settings(max_examples=25)
@given(cases=st.lists(any_case(), max_size=4))
def test_what_is_written_is_read_back(form: str, cases: list[Case]) -> None:
    assert kept(f"x.{form}", "".join(write_cases(cases, form))) == cases


def test_a_sheet_of_labelled_questions_needs_nothing_but_its_columns() -> None:
    (case,) = kept("x.csv", "text,category,tags\nWhere is my card?,card_arrival,bank cards\n")
    assert (case.name, case.question, case.tags) == ("Row 1", "Where is my card?", ("bank", "cards"))
    assert [one.words for one in case.expect] == ["Answers exactly “card_arrival”"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.json", '[{"name": "a"}', "ends in the middle"),
        ("x.json", "[nonsense]", "Line 1"),
        ("x.json", b"\xff\xfe", "not UTF-8"),
        ("x.txt", "x", "whose name ends with"),
        ("x.yaml", "a: &a [x, x]\nb: &b [*a, *a]\n" + "c: [*b, *b" + ", *b" * 90_000 + "]", "more than 200,000 values"),
        ("x.yaml", "!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("x.json", '[{"name": "a", "name": "b"}, 1]', "stands twice"),
        ("x.csv", "name,question\na," + "x" * 2_100_000, "One line is longer than 2 MB"),
        ("x.yaml", "name: " + "x" * 2_100_000, "One line is longer than 2 MB"),
        ("x.yaml", "# filling\n" * 1_000_000, "stand between two lines"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(name: str, content: str | bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        read(name, content)


@pytest.mark.parametrize("name", ["x.json", "x.ndjson", "x.csv", "x.yaml"])
def test_a_file_beyond_the_limit_is_refused_before_it_is_read_whole(name: str) -> None:
    class Blank(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return (b"\n" * size) if name != "x.json" else (b" " * size)

    stream = Blank()
    with pytest.raises(BadFile, match="more than 1 MB"):
        list(read_cases(name, stream, limit=1_000_000))  # type: ignore[arg-type]
    assert stream.taken < 3_000_000


def test_a_case_without_expectation_is_named_and_the_others_are_read() -> None:
    good = {"name": "a", "turns": [{"role": "user", "text": "x"}], "expect": [{"kind": "contains", "text": "y"}]}
    found = read("x.json", json.dumps([good, {**good, "name": "lonely", "expect": []}, 7]))
    assert [one.case is not None for one in found] == [True, False, False]
    assert found[1].problem.startswith("Case 2 “lonely” expects nothing.")
    assert found[2].problem.startswith("Case 3 is not an object")
    assert read("x.csv", "question\nHello?\n")[0].problem.startswith("Case 1 “Row 1” expects nothing.")


class Endless(io.RawIOBase):
    """A JSON array of many cases that is nowhere whole."""

    def __init__(self, count: int) -> None:
        self.parts: Iterator[bytes] = self._parts(count)
        self.rest = b""

    def _parts(self, count: int) -> Iterator[bytes]:
        turns, expect = [{"role": "user", "text": "x" * 300}], [{"kind": "contains", "text": "y"}]
        yield b"["
        for number in range(count):
            text = json.dumps({"name": str(number), "turns": turns, "expect": expect})
            yield (b"," if number else b"") + text.encode()
        yield b"]"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest and (part := next(self.parts, None)) is not None:
            self.rest = part
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


def test_many_cases_are_read_in_little_memory() -> None:
    tracemalloc.start()
    count = sum(one.case is not None for one in read_cases("x.json", Endless(2_000)))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_000
    assert peak < 700_000


def test_real_data_sets_become_cases(corpus: Path) -> None:
    evals = corpus / "evals"

    def found(place: str) -> list[Found]:
        with (evals / place).open("rb") as stream:
            return list(read_cases(place, stream))

    bank = found("banking77/test.csv")
    assert (len(bank), [one.problem for one in bank if one.problem]) == (3080, [])
    tasks = found("tau2-mock/tasks.json")
    assert len(tasks) == 10
    history = next(one.case for one in tasks if one.case and one.case.name == "update_task_with_message_history")
    assert history.turns[1].calls[0].result["task_id"] == "task_2"
    retail = found("tau2-retail/tasks.json")
    assert len(retail) == 114
    assert sum(one.case is not None for one in retail) > 100
    assert all("expects nothing" in one.problem for one in retail if one.problem)
    assert len(found("vapi/vapi-orders-eval-scenarios.json")) == 6
    utterances = [one for path in sorted((evals / "ha-utterance-tests").rglob("*_Hass*.yaml"))
                  for one in found(str(path.relative_to(evals)))]  # fmt: skip
    assert len(utterances) > 500
    assert {one.problem for one in utterances} == {""}
