"""What people and programs read of a rollout's judging: the fragment, the CSV, the API, and the forecast beforehand."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from agentversions.services.tokens import make_token
from channels.core.rollout_judging import Counts, Guardrail, Judging, Rule
from channels.core.rollout_steps import Step
from channels.models import Rollout
from monitoring.models import Call, CanaryEvaluation
from monitoring.services.canary_judge import judge_rollout
from monitoring.services.canary_page import MOST_POINTS, show_judging
from tests.factories import make_user

from .canary import begin, failing, run
from .taking import take

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SOME = failing(lambda caller: caller % 9 == 0, lambda caller: caller % 11 == 0)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("operator", time_zone="UTC"))
    return client


@pytest.fixture
def rollout(agent: Agent) -> Rollout:
    rollout = begin(agent, judging=Judging(guardrails=(Guardrail.DURATION, Guardrail.SENTIMENT)))
    for start in (0, 300):
        run(rollout, range(start, start + 300), SOME)
        judge_rollout(rollout.pk)
    return rollout


def verdict(client: Client, rollout: Rollout, query: str = "", **headers: str) -> Any:
    return client.get(f"/rollouts/{rollout.pk}/verdict/{query}", headers=headers or HTMX)


def test_before_the_first_look_it_says_so(agent: Agent, client: Client) -> None:
    assert "Not judged yet" in verdict(client, begin(agent)).content.decode()


def test_the_fragment_shows_what_was_said_and_on_what(rollout: Rollout, client: Client) -> None:
    page = verdict(client, rollout).content.decode()
    last = CanaryEvaluation.objects.first()
    assert last is not None
    assert f"<strong>Continue:</strong>{last.words.partition(':')[2]}" in page
    assert "How many times as often V2 fails as V1" in page
    assert 'id="harm-bar" max="100" value="0"' in page
    assert "of 200" in page
    assert "The simple rule would say" in page
    assert "Average duration" in page
    assert page.count("data-at=") == 2
    assert page.count("<strong>Continue:</strong>") == 3
    shown = show_judging(rollout)
    assert [arm.name for arm in shown.arms] == ["canary", "stable"]
    assert sum(arm.recorded for arm in shown.arms) == 600
    for arm in shown.arms:
        assert len(arm.samples) == 3
        found = Call.objects.filter(sender_id__in=[call.sender_id for call in arm.samples])
        assert {call.version for call in found} == {arm.version.number}
        assert all(f"/calls/{call.sender_id}/" in page for call in arm.samples)


@pytest.mark.parametrize(
    ("judging", "words"),
    [
        (Judging(rule=Rule.THRESHOLD), "The simple rule decides here"),
        (Judging(counts=Counts.SUCCESSES), "How many times as often V1 succeeds as V2"),
    ],
)
def test_it_says_by_which_rule_and_by_which_calls_it_is_judged(
    agent: Agent, client: Client, judging: Judging, words: str
) -> None:
    rollout = begin(agent, judging=judging)
    run(rollout, range(100), SOME)
    judge_rollout(rollout.pk)
    assert words in verdict(client, rollout).content.decode()


def test_without_anything_new_nothing_is_sent(rollout: Rollout, client: Client) -> None:
    newest = show_judging(rollout).newest
    assert f"seen={newest}" in verdict(client, rollout).content.decode()
    assert verdict(client, rollout, f"?seen={newest}").status_code == 204
    assert verdict(client, rollout, f"?seen={newest - 1}").status_code == 200


def test_a_plain_visit_gets_the_page_around_it(rollout: Rollout, client: Client) -> None:
    page = client.get(f"/rollouts/{rollout.pk}/verdict/").content.decode()
    assert "<h1" in page
    assert "ratio_chart.js" in page
    assert client.get("/rollouts/999/verdict/").status_code == 404


def test_the_page_of_the_rollout_loads_it(rollout: Rollout, client: Client) -> None:
    page = client.get(f"/rollouts/{rollout.pk}/").content.decode()
    assert f'hx-get="/rollouts/{rollout.pk}/verdict/"' in page
    assert "ratio_chart.js" in page


def test_a_chart_of_thousands_has_some_points_and_the_last(agent: Agent) -> None:
    rollout = begin(agent)
    run(rollout, range(20), SOME)
    judge_rollout(rollout.pk)
    first = CanaryEvaluation.objects.get()
    names = ("rollout", "move", "step", "action", "words", "body", "missing_before")
    values = {name: getattr(first, name) for name in names}
    CanaryEvaluation.objects.bulk_create(
        CanaryEvaluation(**values, at=first.at + timedelta(seconds=at)) for at in range(1, 1_001)
    )
    points = show_judging(rollout).points
    assert MOST_POINTS / 2 < len(points) <= MOST_POINTS
    assert points[-1].at == first.at + timedelta(seconds=1_000)


def test_the_csv_has_every_evaluation(rollout: Rollout, client: Client) -> None:
    response: Any = client.get(f"/rollouts/{rollout.pk}/verdict/export/")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    _, head, *rows = csv.reader(io.StringIO(text))
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["action"] for row in found] == ["continue", "continue"]
    assert [int(row["canary_recorded"]) + int(row["stable_recorded"]) for row in found] == [300, 600]
    assert (found[0]["share"], found[0]["margin"], found[0]["harm_bar"]) == ("10", "3", "200")


def test_the_api_gives_statistics_and_inputs(rollout: Rollout) -> None:
    admin = make_user("admin")
    token = make_token(name="x", roles=["viewer"], scopes=["read"], owner=admin, actor=admin).secret

    def get(address: str) -> Any:
        return Client().get(address, headers={"Authorization": f"Bearer {token}"})

    answer = get(f"/api/v1/rollouts/{rollout.pk}/evaluations?limit=1").json()
    (newest,) = answer["items"]
    assert (newest["action"], newest["step"], newest["refusal"]) == ("continue", 1, "")
    assert newest["seen"]["canary"]["recorded"] + newest["seen"]["stable"]["recorded"] == 600
    assert newest["statistics"]["harm_bar"] == 200
    assert newest["policy"]["steps"][0]["share"] == 10_000
    older = get(answer["next"]).json()
    assert older["items"][0]["id"] < newest["id"]
    assert older["next"] is None
    assert get("/api/v1/rollouts/999/evaluations").status_code == 404


STEPS = "share=10&share=25&share=50&margin=3&margin=2&margin=1.5&soak=2&soak=2&soak=2"
FIELDS = f"agent=clinic&version=2&{STEPS}&max_days=30"


def planned(client: Client, query: str = FIELDS) -> str:
    return client.get(f"/rollouts/plan/?{query}", headers=HTMX).content.decode()


def test_the_forecast_says_how_long_it_takes_at_this_traffic(agent: Agent, client: Client) -> None:
    make_live(version=agent.versions.get(number=1), actor=make_user("operator"))
    assert "no call of this agent is known" in planned(client).lower()
    start = database_now() - timedelta(days=10)
    take(2_000, 1, started_at=lambda at: start + timedelta(minutes=at), error=lambda at: at % 20 == 0)
    page = planned(client)
    assert "About 17 days" in page or "About 18 days" in page
    assert "The fast preset" in page
    assert "100 of 2,000 calls failed, of the live version" in page
    short = planned(client, FIELDS.replace("max_days=30", "max_days=14"))
    assert "It would then reach its longest duration" in short


def test_what_is_still_being_typed_has_no_forecast(agent: Agent, client: Client) -> None:
    assert "Fill in the steps" in planned(client, FIELDS.replace("margin=2", "margin=x"))
    assert "Choose an agent" in planned(client, "agent=")
    assert planned(client, FIELDS.replace("share=25", "share=5"))


def test_an_agent_that_fails_mostly_is_advised_to_count_successes(agent: Agent, client: Client) -> None:
    take(200, 1, error=lambda at: at % 2 == 0)
    assert "let it count successful calls instead" in planned(client)
    simple = planned(client, f"{FIELDS}&rule=threshold")
    assert "The simple rule decides the first step after 100 canary calls" in simple


def test_without_a_failed_call_there_is_no_ratio(agent: Agent, client: Client) -> None:
    rollout = begin(agent, steps=(Step(50_000, 2.0, 0),))
    run(rollout, range(40), failing(lambda caller: False, lambda caller: False))
    judge_rollout(rollout.pk)
    assert "data-value" not in verdict(client, rollout).content.decode()
