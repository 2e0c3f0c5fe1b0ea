"""Runs over HTTP against a scripted endpoint: what is asked, what is kept, what is paid, and how runs end."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from agentversions.models import CaseResult, EvaluationRun, PaidAnswer
from agentversions.models.database import ClockTimestamp
from agentversions.services.evaluations.errors import NoEndpoint, RunRefused
from agentversions.services.evaluations.running import run_suite
from agentversions.services.evaluations.starting import cancel_run, resume_runs, start_run
from tests.agentversions.evaluations import case, outcomes, run_of, suite_of
from tests.factories import make_agent, make_user, make_version
from tests.scripted_llm import ScriptedModel

pytestmark = pytest.mark.django_db


def test_a_run_says_exactly_what_it_ran_and_what_came_of_each_case(model: ScriptedModel) -> None:
    model.script({"match": "open", "answers": [{"text": "Yes, at nine."}]}, {"answers": [{"text": "No."}]})
    suite = suite_of(case("a", "Are you open?", tags=["hours"], weight=2), case("b", "Hm?", must_pass=True))
    version = make_version(make_agent())
    run = run_of(suite, version.agent, version=version)
    assert (run.state, run.configuration_id, run.revision.number) == ("done", version.configuration_id, 2)
    assert outcomes(run) == {"a": "pass", "b": "fail"}
    result = run.results.get(name="a")
    assert (result.tags, result.weight, result.calls, result.paid_calls) == (["hours"], 2, 1, 1)
    assert result.cost == Decimal("0.00045")  # 100 tokens in at 2.5, 20 out at 10 per million
    assert [message["role"] for message in result.transcript] == ["assistant", "user", "assistant"]
    assert run.results.get(name="b").checks == [
        {"kind": "contains", "words": "Contains “yes”", "outcome": "fail", "reason": "“No.” does not contain it."}
    ]
    request = model.asked[0]
    assert (request["model"], request["temperature"]) == ("gpt-4o", 0.7)
    assert request["messages"][0]["content"].startswith("# Role")
    assert request["tools"][0]["function"]["name"] == "transfer_to_human"
    assert model.log()["asked"][0]["authorization"] == "Bearer test-key"


def test_a_configuration_s_model_is_mapped_to_the_endpoint_s(model: ScriptedModel, settings: Any) -> None:
    settings.LLM_ENDPOINTS = model.endpoints(models={"gpt-4o": "our-deployment"})
    run_of(suite_of(case("a")), make_agent(), environment="staging")
    assert model.asked[0]["model"] == "our-deployment"


def test_many_turns_are_answered_in_turn_and_history_is_not_asked_again(model: ScriptedModel) -> None:
    turns = [("user", "One"), ("assistant", "Written"), ("user", "Two"), ("user", "Three")]
    run = run_of(suite_of(case("a", turns=[{"role": role, "text": text} for role, text in turns])), make_agent())
    assert outcomes(run) == {"a": "pass"}
    said = [[message["content"] for message in request["messages"][2:]] for request in model.asked]
    assert said == [["One", "Written", "Two"], ["One", "Written", "Two", "yes", "Three"]]


def test_tools_are_answered_by_fixtures_and_never_called(model: ScriptedModel) -> None:
    wanted = {"name": "transfer_to_human", "arguments": {"reason": "angry"}}
    model.script(
        {"match": "queued", "answers": [{"text": "yes, you are next"}]},
        {"match": "No answer is prepared", "answers": [{"text": "it is broken"}]},
        {"answers": [{"calls": [wanted]}]},
    )
    expect = [
        {"kind": "tool_called", "tool": "transfer_to_human", "arguments": {"reason": "angry"}},
        {"kind": "contains", "text": "yes"},
    ]
    fixture = {"name": "transfer_to_human", "arguments": {"reason": "angry"}, "result": {"state": "queued"}}
    run = run_of(suite_of(case("a", expect=expect, fixtures=[fixture]), case("b", expect=expect)), make_agent())
    assert outcomes(run) == {"a": "pass", "b": "fail"}
    assert run.results.get(name="b").transcript[-1]["content"] == "it is broken"


def test_an_agent_that_only_calls_tools_ends_with_a_sentence(model: ScriptedModel) -> None:
    model.script({"answers": [{"calls": [{"name": "transfer_to_human", "arguments": "no json"}]}]})
    run = run_of(suite_of(case("a")), make_agent())
    assert run.results.get().error.startswith("The agent called tools 12 times in a row")


@pytest.mark.parametrize(
    ("answers", "outcome", "words"),
    [
        ([{"status": 429, "retry_after": 0.01}, {"status": 503}, {"text": "yes"}], "pass", ""),
        ([{"status": 500}], "error", "The endpoint answered 500: "),
        ([{"status": 429, "retry_after": 0.01}], "error", "asked too often (429)"),
        ([{"raw": "{broken"}], "error", "no chat completion"),
        ([{"raw": '{"choices": []}'}], "error", "no chat completion"),
        ([{"text": "late", "delay_ms": 1500}], "error", "did not answer in time"),
        ([{"refusal": "I cannot help with that."}], "fail", ""),
        ([{"text": "yes \x00 \ud800"}], "pass", ""),
    ],
)
def test_what_the_endpoint_does_ends_in_an_outcome(
    model: ScriptedModel, settings: Any, answers: list[dict[str, Any]], outcome: str, words: str
) -> None:
    settings.LLM_ENDPOINTS = model.endpoints(timeout_s=0.4)
    model.script({"answers": answers})
    run = run_of(suite_of(case("a")), make_agent())
    result = run.results.get()
    assert (run.state, result.outcome) == ("done", outcome)
    assert words in result.error


def test_a_refused_key_ends_the_run_instead_of_every_case(model: ScriptedModel) -> None:
    model.script({"answers": [{"status": 401}]})
    run = run_of(suite_of(*(case(str(number)) for number in range(50))), make_agent(), concurrency=1)
    assert (run.state, run.stopped_by) == (
        "stopped",
        "The endpoint refuses the key. An admin puts it right in LLM_ENDPOINTS.",
    )
    assert len(model.asked) < 5


def test_the_same_again_costs_nothing_unless_fresh_answers_are_wanted(model: ScriptedModel) -> None:
    suite, agent = suite_of(case("a"), case("b", "Ho")), make_agent()
    run_of(suite, agent)
    again = run_of(suite, agent)
    assert (len(model.asked), outcomes(again)) == (2, {"a": "pass", "b": "pass"})
    assert [result.paid_calls for result in again.results.all()] == [0, 0]
    run_of(suite, agent, is_fresh=True)
    assert len(model.asked) == 4
    other = make_version(agent, system_prompt="Another prompt.")
    run_of(suite, agent, version=other)
    assert len(model.asked) == 6


def test_the_same_conversation_in_many_cases_is_asked_once_also_at_the_same_time(model: ScriptedModel) -> None:
    suite, agent = suite_of(*(case(str(number)) for number in range(12))), make_agent()
    model.script({"answers": [{"text": "yes"}], "delay_ms": 30})
    run = run_of(suite, agent, concurrency=6)
    assert set(outcomes(run).values()) == {"pass"}
    assert (len(model.asked), run.results.filter(paid_calls=1).count()) == (1, 1)


def test_at_most_so_many_questions_are_in_flight(model: ScriptedModel) -> None:
    model.script({"answers": [{"text": "yes"}], "delay_ms": 30})
    run_of(suite_of(*(case(str(number), f"Hi {number}") for number in range(30))), make_agent(), concurrency=4)
    assert model.log()["most_in_flight"] == 4


def test_budgets_end_a_run_and_what_is_finished_stays(model: ScriptedModel) -> None:
    suite, agent = suite_of(*(case(str(number), f"Hi {number}") for number in range(30))), make_agent()
    run = run_of(suite, agent, max_calls=7)
    assert (run.state, run.stopped_by) == ("stopped", "The budget of 7 calls is spent.")
    assert len(model.asked) == run.results.count() == PaidAnswer.objects.count() == 7
    money = run_of(suite, agent, is_fresh=True, max_cost=Decimal("0.001"), concurrency=1)
    assert (money.state, money.stopped_by) == ("stopped", "The budget of 0.001 is spent.")
    assert len(model.asked) == 7 + 3  # the third answer went over it


def test_what_a_killed_runner_left_is_taken_up_and_nothing_is_paid_twice(model: ScriptedModel) -> None:
    suite, agent = suite_of(*(case(str(number), f"Hi {number}") for number in range(9))), make_agent()
    run = run_of(suite, agent, max_calls=4)
    left = start_run(suite=suite, agent=agent, actor=agent.created_by)
    done = run.results.first()
    assert done is not None
    CaseResult.objects.create(run=left, case_id=done.case_id, name=done.name, position=done.position, outcome="pass")
    EvaluationRun.objects.filter(pk=left.pk).update(state="running", runner="dead", held_until=ClockTimestamp())
    assert run_suite(left.pk)
    left.refresh_from_db()
    assert (left.state, left.results.count(), len(model.asked)) == ("done", 9, 9)


def test_a_run_that_is_held_is_not_taken_and_one_that_nobody_holds_is_found(model: ScriptedModel) -> None:
    agent = make_agent()
    run = start_run(suite=suite_of(case("a")), agent=agent, is_deferred=False, actor=agent.created_by)
    assert (resume_runs(), resume_runs()) == (1, 0)
    held = EvaluationRun.objects.filter(pk=run.pk)
    held.update(state="running", runner="other", held_until=ClockTimestamp() + _minute())
    assert not run_suite(run.pk)
    assert model.asked == []


def _minute() -> Any:
    from datetime import timedelta

    return timedelta(minutes=1)


def test_cancelling_ends_a_waiting_run_at_once_and_a_held_one_soon(model: ScriptedModel) -> None:
    agent, suite = make_agent(), suite_of(*(case(str(number), f"Hi {number}") for number in range(40)))
    waiting = cancel_run(run=start_run(suite=suite, agent=agent, actor=agent.created_by), actor=agent.created_by)
    assert (waiting.state, run_suite(waiting.pk)) == ("cancelled", False)
    run = start_run(suite=suite, agent=agent, concurrency=1, is_deferred=False, actor=agent.created_by)
    EvaluationRun.objects.filter(pk=run.pk).update(cancelled_by=make_user())
    assert run_suite(run.pk)
    run.refresh_from_db()
    assert (run.state, model.asked) == ("cancelled", [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"environment": "moon"}, "no environment"),
        ({"concurrency": 0}, "from 1 to 50"),
        ({"max_calls": 0}, "at least 1"),
        ({"max_cost": Decimal(0)}, "more than 0"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_words(model: ScriptedModel, options: dict[str, Any], words: str) -> None:
    agent = make_agent()
    with pytest.raises(RunRefused, match=words):
        start_run(suite=suite_of(case("a")), agent=agent, actor=agent.created_by, **options)


def test_without_an_endpoint_a_price_or_a_judge_it_is_said_what_to_set(model: ScriptedModel, settings: Any) -> None:
    agent, suite = make_agent(), suite_of(case("a", expect=[{"kind": "judged", "criterion": "Is polite."}]))
    settings.LLM_ENDPOINTS = {"production": {"providers": model.endpoints(prices={})["production"]["providers"]}}
    with pytest.raises(NoEndpoint, match="production has no judge"):
        start_run(suite=suite, agent=agent, actor=agent.created_by)
    with pytest.raises(RunRefused, match="needs prices"):
        start_run(suite=suite_of(case("a"), name="x"), agent=agent, max_cost=Decimal(1), actor=agent.created_by)
    with pytest.raises(NoEndpoint, match="No endpoint answers for the provider “openai” in staging"):
        start_run(suite=suite, agent=agent, environment="staging", actor=agent.created_by)
    settings.LLM_ENDPOINTS = {"production": {"providers": {"openai": {"link": "x"}}}}
    with pytest.raises(NoEndpoint, match=r"LLM_ENDPOINTS cannot be read at production.providers.openai"):
        start_run(suite=suite, agent=agent, actor=agent.created_by)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agentversions_evaluationrun SET configuration_id = configuration_id, concurrency = 3",
        "DELETE FROM agentversions_evaluationrun",
        "UPDATE agentversions_caseresult SET outcome = 'pass'",
        "DELETE FROM agentversions_paidanswer",
    ],
)
def test_postgresql_keeps_what_a_run_was(model: ScriptedModel, statement: str) -> None:
    run_of(suite_of(case("a")), make_agent())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
