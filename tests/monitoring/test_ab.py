"""The results of an A/B test equal its calls; only what the split decided counts; the split itself is checked."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from agentversions.services.tokens import make_token
from channels.core.routes import Follow, Target
from channels.models import Channel
from channels.services.channels import find_channel
from channels.services.routes import pin
from monitoring.core.comparing import Verdict
from monitoring.core.records import read_record
from monitoring.services.ab_counts import count_test
from monitoring.services.ab_periods import AbTest, find_test
from monitoring.services.ab_results import AbResults, load_results
from monitoring.services.ingest import ingest
from tests.factories import make_agent, make_channel, make_user, make_version

from .ab import ADDRESS, bucket, caller, resolution, seeded, start_test, take_calls

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    for number in (1, 2, 3):
        make_version(agent, name=f"Change {number}", system_prompt=f"Prompt {number}.")
    return agent


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return start_test(make_channel(agent, address=ADDRESS), 50, 50)


def the_test() -> AbTest:
    found = find_test(find_channel(ADDRESS))
    assert found is not None
    return found


def results() -> AbResults:
    return load_results(the_test())


def even(variant: str, number: int) -> dict[str, Any]:
    return seeded(variant, number)


def better(variant: str, number: int) -> dict[str, Any]:
    return seeded(variant, number, A=0.4, B=0.15)


def test_figures_of_a_variant_are_those_of_its_calls(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(600), says=better)
    found = results()
    for variant in found.variants:
        said = [better(variant.name, n) for n in range(600) if (bucket(channel, n) < 50_000) == (variant.name == "A")]
        alone = sum(not each["transferred"] and not each["error"] for each in said)
        figures = {each.key: each.estimate for each in variant.figures}
        assert (variant.counts.calls, variant.counts.callers, variant.versions) == (
            len(said),
            len(said),
            ["V1" if variant.name == "A" else "V2"],
        )
        for key, value in (
            ("automation", alone / len(said)),
            ("success", sum(each["evaluation"] == "success" for each in said) / len(said)),
            ("errors", sum(each["error"] for each in said) / len(said)),
            ("duration", 1000 * sum(each["duration_s"] for each in said) / len(said)),
        ):
            estimate = figures[key]
            assert estimate is not None
            assert (estimate.value, estimate.n) == (pytest.approx(value), len(said))
            assert estimate.low <= estimate.value < estimate.high
    control, test = found.variants
    assert {each.difference for each in control.figures} == {None}
    verdicts = {each.key: each.difference.verdict for each in test.figures if each.difference}
    assert verdicts["automation"] == Verdict.CLEAR
    assert verdicts["success"] == Verdict.WITHIN
    assert not found.split.is_broken
    assert found.split.callers == 600
    assert found.missing is not None
    assert found.missing > 1_000


def test_what_the_split_did_not_decide_is_left_out_and_counted(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(40), says=even)
    now = database_now()
    take_calls(agent, channel, range(100, 103), says=lambda *_: {"is_test": True, "engaged": True})
    take_calls(agent, channel, range(200, 202), says=lambda *_: {"caller": "anonymous"}, u="call_id", b=7)
    take_calls(agent, channel, range(300, 301), says=even, w="STATIC", t=None)
    take_calls(agent, channel, range(310, 311), says=even, r="0" * 64)
    loose = [
        {"id": "inferred", "called": ADDRESS, "caller": caller(400), "started_at": now + timedelta(seconds=1)},
        {"id": "withheld", "called": ADDRESS, "caller": "anonymous", "started_at": now + timedelta(seconds=1)},
        {"id": "stated", "called": ADDRESS, "agent": "clinic", "version": 1, "started_at": now},
        {"id": "before", "called": ADDRESS, "caller": caller(401), "started_at": now - timedelta(days=1)},
        {"id": "elsewhere", "called": "+33198765433", "started_at": now},
    ]
    ingest([read_record(each) for each in loose], source="api")
    found = results()
    assert (found.calls, found.inferred, found.split.callers) == (41, 1, 41)
    assert {key: count for key, _, count in found.left_out} == {"test": 3, "withheld": 3, "other": 2, "unknown": 1}


def test_a_callers_first_call_is_what_the_split_is_checked_by(agent: Agent, channel: Channel) -> None:
    for _ in range(3):
        take_calls(agent, channel, range(30), says=even, since=database_now())
    # Without its number a caller is known by the bucket.
    take_calls(agent, channel, range(30, 35), says=lambda *_: {"caller": None})
    take_calls(agent, channel, range(30, 35), says=lambda *_: {"caller": None, "engaged": True}, since=database_now())
    found = results()
    assert (found.calls, found.split.callers) == (100, 35)
    control = found.variants[0]
    assert control.counts.figures["automation"].sums.design_effect > 1


def test_a_split_that_loses_calls_of_a_variant_is_broken(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(200), says=even, keeps=lambda variant: variant == "A")
    found = results()
    assert found.split.is_broken
    client = Client()
    client.force_login(make_user("viewer"))
    page = client.get(f"/analytics/ab/{ADDRESS}/").content.decode()
    assert "The split is broken" in page
    assert "Do not trust the comparison" in page
    assert "The split is as planned" not in page


def test_a_change_of_shares_goes_on_with_the_same_test(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(150), says=even)
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 3), actor=make_user("operator"))
    save = start_test(find_channel(ADDRESS), 90, 10, before=channel.route.plan)
    take_calls(agent, save, range(150, 450), says=even)
    # Late: decided by the old shares, as its resolution says.
    take_calls(agent, channel, range(450, 470), says=even)
    found = results()
    assert (found.calls, found.shares_changed, len(the_test().periods)) == (470, 1, 3)
    first, second = sorted(count_test(the_test()).strata, key=lambda each: sum(each.counts.values()))
    assert (sum(first.counts.values()), first.shares) == (170, {"A": 50_000, "B": 50_000})
    assert (sum(second.counts.values()), second.shares) == (300, {"A": 90_000, "B": 10_000})
    assert not found.split.is_broken
    assert found.split.expected["A"] == pytest.approx(85 + 270)


def test_other_variants_or_another_salt_are_a_new_test(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(50), says=even)
    first = the_test()
    assert first.until is None
    start_test(find_channel(ADDRESS), 40, 30, 30, before=channel.route.plan)
    second = the_test()
    assert (list(second.targets), len(second.periods)) == (["A", "B", "C"], 1)
    start_test(find_channel(ADDRESS), 50, 50)
    third = the_test()
    assert third.plan.salt != first.plan.salt
    assert load_results(third).calls == 0
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 3), actor=make_user("operator"))
    ended = the_test()
    assert ended.plan == third.plan
    assert ended.until is not None
    assert load_results(ended).missing is None


def test_a_variant_that_answered_with_several_configurations_says_so(agent: Agent) -> None:
    actor = make_user("operator")
    make_live(version=agent.versions.get(number=2), actor=actor)
    pinned, live = Target("clinic", Follow.VERSION, 1), Target("clinic", Follow.LIVE)
    channel = start_test(make_channel(agent, address=ADDRESS), 50, 50, targets=(pinned, live))
    for number in (2, 3):
        take_calls(agent, channel, range(10), says=even, keeps=lambda variant: variant == "B", v=number)
    take_calls(agent, channel, range(10), says=even, keeps=lambda variant: variant == "A")
    control, test = results().variants
    assert (control.versions, control.is_mixed) == (["V1"], False)
    assert (test.versions, test.is_mixed) == (["V3", "V2"], True)
    client = Client()
    client.force_login(actor)
    page = client.get(f"/analytics/ab/{ADDRESS}/").content.decode()
    assert "follows Live and answered with 2 configurations" in page


def test_only_the_first_calls_of_a_very_long_test_are_analysed(
    agent: Agent, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_calls(agent, channel, range(60), says=even)
    early = [
        {"id": f"early-{at}", "called": ADDRESS, "started_at": the_test().since - timedelta(seconds=60 - at)}
        for at in range(5)
    ]
    ingest([read_record(each) for each in early], source="api")
    assert (results().calls, results().is_cut) == (60, False)
    monkeypatch.setattr("monitoring.services.ab_counts.MOST_CALLS", 50)
    found = results()
    assert (found.calls, found.is_cut, found.left_out) == (45, True, [])


def test_one_statement_reads_the_calls(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(30), says=even)
    test = the_test()
    with CaptureQueriesContext(connection) as captured:
        count_test(test)
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        results()
    assert len(captured) <= 6


def test_the_page_and_the_fragment_say_it_in_words(agent: Agent, channel: Channel) -> None:
    client = Client()
    client.force_login(make_user("viewer"))
    address = f"/analytics/ab/{ADDRESS}/"
    nothing = client.get(address).content.decode()
    assert "how long a 3-point difference takes is not known" in nothing
    take_calls(agent, channel, range(400), says=better)
    page = client.get(address).content.decode()
    assert "<html" in page
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    for text in (page, fragment):
        assert "The split is as planned" in text
        assert "of 400 callers" in text
        assert "Clear of chance" in text
        assert "more calls to tell a 3-point difference" in text.replace("</strong>", "")
        assert f"/calls/?channel=%2B33198765432&amp;variant=B&amp;since={the_test().since:%Y-%m-%d}" in text
    calls = client.get(f"/calls/?channel=%2B{ADDRESS[1:]}&variant=B").content.decode()
    assert f"{results().variants[1].counts.calls} calls" in calls
    shown = client.get(f"/channels/{ADDRESS}/").content.decode()
    assert f'hx-get="{address}"' in shown
    assert client.get("/analytics/ab/+33100000000/").status_code == 404


def test_the_api_gives_the_figures_of_the_page(agent: Agent, channel: Channel) -> None:
    take_calls(agent, channel, range(300), says=better)
    boss = make_user("admin", is_superuser=True)
    secret = make_token(name="reader", roles=["viewer"], scopes=["read"], owner=boss, actor=boss).secret
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    said = client.get(f"/api/v1/channels/{ADDRESS}/ab").json()
    found = results()
    assert (said["calls"], said["split"]["callers"], said["split"]["is_broken"]) == (300, 300, False)
    assert [each["name"] for each in said["variants"]] == ["A", "B"]
    difference = found.variants[1].figures[0].difference
    assert difference is not None
    answered = said["variants"][1]["figures"]["automation"]
    assert answered["difference"]["value"] == pytest.approx(difference.value)
    assert answered["difference"]["verdict"] == difference.verdict
    assert said["calls_missing"] == found.missing
    assert client.get("/api/v1/channels/+33100000000/ab").status_code == 404
    make_channel(agent, address="+33198765499")
    assert client.get("/api/v1/channels/+33198765499/ab").json()["detail"].startswith("No A/B test was ever")
    assert resolution(agent, channel, caller(1)).startswith("r1.")
