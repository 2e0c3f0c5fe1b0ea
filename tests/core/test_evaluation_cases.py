"""Cases of evaluation suites: what can be read, what each expectation finds, and what is refused in words."""

from typing import Any

import pytest

from agentversions.core.evaluations.cases import BadCase, case_document, load_case, open_turns, read_case, write_case
from agentversions.core.evaluations.conversation import play
from agentversions.core.evaluations.expectations import check_all
from agentversions.core.evaluations.verdicts import Called, Said, Verdict
from agentversions.core.reading import read_document

HELLO: dict[str, Any] = {
    "name": "hours",
    "turns": [{"role": "user", "text": "When are you open?"}],
    "expect": [{"kind": "contains", "text": "nine"}],
}


def verdict(expectation: dict[str, Any], *answers: str, calls: tuple[Called, ...] = ()) -> Verdict:
    case = read_case({**HELLO, "expect": [expectation]})
    (found,) = check_all(case.expect, Said(answers, calls))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("expectation", "good", "bad"),
    [
        ({"kind": "contains", "text": "Nine  o'clock"}, "At nine\no'clock.", "At ten."),
        ({"kind": "not_contains", "text": "refund"}, "No.", "A REFUND is due."),
        ({"kind": "golden", "text": "card_arrival"}, " Card_Arrival\n", "card arrival"),
        ({"kind": "regex", "pattern": r"\b\d{4}-\d\d-\d\d\b"}, "on 2026-11-21.", "tomorrow"),
        (
            {"kind": "json_equals", "path": "order.items[1].id", "equals": 7},
            '{"order":{"items":[{},{"id":7.0}]}}',
            "{}",
        ),
        ({"kind": "json_equals", "path": "ok", "equals": True}, '```json\n{"ok": true}\n```', '{"ok": 1}'),
    ],
)
def test_each_kind_tells_a_good_answer_from_a_bad_one(expectation: dict[str, Any], good: str, bad: str) -> None:
    assert verdict(expectation, good).outcome == "pass"
    assert verdict(expectation, bad).outcome == "fail"


def test_only_the_last_answer_counts_unless_all_are_asked_for() -> None:
    assert verdict({"kind": "contains", "text": "hello"}, "Hello", "Bye").outcome == "fail"
    assert verdict({"kind": "contains", "text": "hello", "scope": "all"}, "Hello", "Bye").outcome == "pass"


def test_a_tool_call_is_known_by_name_and_a_part_of_its_arguments() -> None:
    call = Called("create_task", {"user_id": "user_1", "title": "Meeting", "at": {"day": 1, "hour": 9}})
    wanted = {"kind": "tool_called", "tool": "create_task", "arguments": {"title": "Meeting", "at": {"hour": 9}}}
    assert verdict(wanted, "Done.", calls=(call,)).outcome == "pass"
    assert verdict({**wanted, "is_exact": True}, "Done.", calls=(call,)).outcome == "fail"
    assert verdict({**wanted, "arguments": {"title": "Lunch"}}, "Done.", calls=(call,)) == Verdict(
        "fail",
        'It was called with other arguments: {"user_id": "user_1", "title": "Meeting", "at": {"day": 1, "hour": 9}}.',
    )
    assert verdict(wanted, "Done.", calls=(Called("look", {}),)).words == "It was not called; called were look."
    assert verdict({"kind": "tool_not_called", "tool": "create_task"}, "Done.", calls=(call,)).outcome == "fail"


def test_a_regular_expression_of_exponential_patience_is_answered_at_once() -> None:
    assert verdict({"kind": "regex", "pattern": "(a*)*$b"}, "a" * 50_000).outcome == "fail"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expect": []}, "The case “hours” expects nothing."),
        ({"expect": [{"kind": "regex", "pattern": "(?=x)"}]}, "The regular expression is not RE2"),
        ({"expect": [{"kind": "wish", "text": "x"}]}, "“kind” must be one of"),
        ({"turns": []}, "The case “hours”: “turns”"),
        ({"turns": [{"role": "user", "text": " "}]}, "A turn is empty."),
        ({"turns": [*HELLO["turns"], {"role": "assistant", "text": "At nine."}]}, "there is nothing to answer"),
        ({"turns": [{"role": "user", "text": "x", "calls": [{"name": "f"}]}]}, "Only the assistant calls tools."),
        ({"weigth": 2}, "“weigth”: There is no such field."),
        ({"note": "x" * 9_000, "turns": [{"role": "user", "text": "y" * 100_000}] * 3}, "the limit is 200 kB"),
        ({"note": "half \ud800"}, "half a character"),
    ],
)
def test_a_case_that_cannot_be_kept_is_named_with_what_to_do(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadCase) as refusal:
        read_case({**HELLO, **change})
    assert words in str(refusal.value)
    assert "hours" in str(refusal.value)


def test_the_turns_that_a_written_answer_follows_are_history() -> None:
    turns = [("user", "a"), ("assistant", "b"), ("user", "c"), ("user", "d")]
    case = read_case({**HELLO, "turns": [{"role": role, "text": text} for role, text in turns]})
    assert list(open_turns(case.turns)) == [2, 3]
    assert case.question == "d"


def test_a_stored_case_comes_back_and_keeps_its_name_when_only_expectations_change() -> None:
    case = read_case({**HELLO, "tags": ["b", "a", "b"], "weight": 2, "must_pass": True})
    assert load_case(write_case(case)) == case
    assert read_case(case_document(case)) == case
    assert case.tags == ("a", "b")
    changed = read_case({**HELLO, "expect": [{"kind": "judged", "criterion": "Is polite."}]})
    assert changed.conversation_digest == case.conversation_digest
    assert changed.is_judged
    other = read_case({**HELLO, "fixtures": [{"name": "hours", "result": {"open": 9}}]})
    assert other.conversation_digest != case.conversation_digest


def test_a_workflow_that_goes_in_circles_is_asked_like_any_other() -> None:
    workflow = {
        "nodes": [{"id": "greet", "prompt": "Greet"}, {"id": "book", "prompt": "Book"}],
        "edges": [
            {"id": "on", "source": "greet", "target": "book", "condition": "wants to book"},
            {"id": "back", "source": "book", "target": "greet"},
            {"id": "self", "source": "book", "target": "book"},
        ],
    }
    configuration = read_document({"name": "Clinic", "kind": "workflow", "workflow": workflow})
    messages = next(play(configuration, read_case(HELLO)))
    text = messages[0]["content"]
    assert (text.count("## Step “greet”"), text.count("## Step “book”")) == (1, 1)
    assert text.endswith("go on with “greet”.\n- When this step is done: go on with “book”.")
