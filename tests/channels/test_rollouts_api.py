"""Rollouts over the API: the same services as the pages, by the same rules."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent, ReleaseOverride
from agentversions.services.deployments import live_version
from agentversions.services.release_rules import set_rules
from agentversions.services.tokens import make_token
from channels.models import Channel
from tests.factories import make_user

from .scheduled import freeze, route_of
from .test_channels_api import Api

pytestmark = pytest.mark.django_db
ALL = "/api/v1/rollouts"
NEW = {"agent": "clinic", "version": 2}


@pytest.fixture
def api() -> Api:
    boss = make_user("admin", is_superuser=True)
    return Api(make_token(name="ops", roles=["operator"], scopes=["read", "write"], owner=boss, actor=boss).secret)


def test_one_is_started_read_moved_and_listed(api: Api, agent: Agent) -> None:
    status, made = api("post", ALL, {**NEW, "preset": "fast", "reason": "New prompt"})
    assert (status, made["state"], made["share"], made["preset"]) == (201, "running", "10", "fast")
    assert made["steps"] == [
        {"share": "10", "margin": 3.0, "soak_s": 1800}, {"share": "50", "margin": 2.0, "soak_s": 1800},
    ]  # fmt: skip
    assert made["may"] == ["advance", "pause", "hold", "promote", "roll_back", "cancel"]
    one = f"{ALL}/{made['id']}"
    status, moved = api("post", f"{one}/advance", {"seen": made["seen"]})
    assert (status, moved["step"], moved["share"], moved["moves"][-1]["by"]) == (200, 2, "50", "person")
    status, refused = api("post", f"{one}/pause", {"seen": made["seen"]})
    assert (status, refused["type"]) == (412, "/api/v1/docs#rollout-moved")
    status, refused = api("post", f"{one}/promote", {})
    assert (status, refused["errors"][0]["path"]) == (422, "reason")
    status, done = api("post", f"{one}/promote", {"reason": "Good"})
    assert (status, done["state"], done["may"]) == (200, "promoted", [])
    assert str(live_version(agent)) == "V2"
    status, refused = api("post", f"{one}/resume", {})
    assert (status, "over: it was promoted" in refused["detail"]) == (409, True)
    assert [item["id"] for item in api("get", f"{ALL}?agent=clinic&state=promoted")[1]["items"]] == [made["id"]]
    assert api("get", f"{ALL}?state=running")[1] == {"items": [], "next": None}
    assert api("get", one)[1]["moves"][0]["move"] == "start"


def test_the_list_goes_on(api: Api, agent: Agent) -> None:
    numbers = []
    for _ in range(3):
        number = api("post", ALL, NEW)[1]["id"]
        api("post", f"{ALL}/{number}/cancel", {"reason": "Again"})
        numbers.append(number)
    status, first = api("get", f"{ALL}?limit=2")
    assert (status, [item["id"] for item in first["items"]]) == (200, [numbers[2], numbers[1]])
    assert [item["id"] for item in api("get", first["next"])[1]["items"]] == [numbers[0]]


def test_channels_follow_live_and_a_moment_is_kept(api: Api, agent: Agent, channels: list[Channel]) -> None:
    body = {**NEW, "starts_at": "2027-01-10T09:00:00+01:00", "follow_live": [channels[0].address]}
    status, made = api("post", ALL, body)
    assert (status, made["state"], made["starts_at"]) == (201, "scheduled", "2027-01-10T08:00:00Z")
    assert route_of(channels[0]) == "clinic Live"
    assert api("post", f"{ALL}/{made['id']}/start", {})[1]["state"] == "running"


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"version": 1}, "version", "live already"),
        ({"version": 0}, "version", "A draft cannot"),
        ({"steps": [{"share": "10", "margin": 2}, {"share": "5", "margin": 2}]}, "steps.1.share", "must be above"),
        ({"steps": [{"share": "a", "margin": 2}]}, "steps.0.share", "Write the share"),
        ({"steps": [{"share": "10", "margin": 1}]}, "steps.0.margin", "at least 1.1"),
        ({"steps": []}, "steps", "at least one step"),
        ({"max_duration_s": 60}, "max_duration_s", "Allow more time"),
        ({"judging": {"least_sample": 0}}, "least_sample", "at least one call"),
        ({"version": "2"}, "version", ""),
        ({"surprise": 1}, "surprise", ""),
    ],
)
def test_bad_input_names_its_field(api: Api, agent: Agent, body: dict[str, object], path: str, words: str) -> None:
    status, refused = api("post", ALL, {**NEW, **body})
    assert status == 422
    assert refused["errors"][0]["path"].endswith(path)
    assert words in refused["errors"][0]["detail"]


def test_what_is_in_the_way_has_its_own_kind(api: Api, agent: Agent) -> None:
    made = api("post", ALL, NEW)[1]
    status, refused = api("post", ALL, {**NEW, "version": 3})
    assert (status, refused["type"], refused["rollout"]) == (409, "/api/v1/docs#rollout-open", made["id"])
    freeze()
    status, refused = api("post", f"{ALL}/{made['id']}/advance", {})
    assert (status, refused["type"]) == (409, "/api/v1/docs#routes-frozen")
    assert api("post", f"{ALL}/{made['id']}/roll_back", {"reason": "Night"})[0] == 200
    assert api("post", ALL, {**NEW, "agent": "nobody"})[0] == 404
    assert api("get", f"{ALL}/99999")[0] == 404
    assert api("post", f"{ALL}/{made['id']}/find_unhealthy", {})[0] == 422


def test_what_the_version_lacks_is_passed_over_by_an_approver_with_a_reason(api: Api, agent: Agent) -> None:
    boss = make_user("admin", is_superuser=True)
    set_rules(agent=agent, approvals=1, tolerance=0, suites=[], actor=boss)
    status, refused = api("post", ALL, NEW)
    assert (status, refused["type"]) == (409, "/api/v1/docs#not-ready")
    assert [one["kind"] for one in refused["missing"]] == ["approval"]
    status, refused = api("post", ALL, {**NEW, "override_reason": "Outage"})
    assert (status, "Only an approver overrides" in refused["detail"]) == (403, True)
    assert api("get", ALL)[1]["items"] == []
    roles = ["operator", "approver"]
    both = Api(make_token(name="both", roles=roles, scopes=["read", "write"], owner=boss, actor=boss).secret)
    status, made = both("post", ALL, {**NEW, "override_reason": "Outage"})
    assert (status, made["state"]) == (201, "running")
    override = ReleaseOverride.objects.get()
    assert (override.reason, override.keys, override.version.number) == ("Outage", ["approval"], 2)
    assert api("post", f"{ALL}/{made['id']}/promote", {"reason": "Good"})[0] == 200
    assert str(live_version(agent)) == "V2"
    assert agent.deployments.newest_first()[0].override == override


def test_an_author_never_passes_over_what_their_own_version_lacks(agent: Agent) -> None:
    admin = make_user("admin", is_superuser=True)
    set_rules(agent=agent, approvals=1, tolerance=0, suites=[], actor=admin)
    author = agent.created_by
    author.roles = ["operator", "approver", "editor"]
    author.save(update_fields=["roles"])
    mine = Api(make_token(name="mine", roles=author.roles, scopes=["read", "write"], owner=author, actor=admin).secret)
    status, refused = mine("post", ALL, {**NEW, "override_reason": "Mine is good"})
    assert (status, "published V2 yourself" in refused["detail"]) == (403, True)
    assert not ReleaseOverride.objects.exists()


def test_a_long_list_takes_no_more_queries_than_a_short_one(api: Api, agent: Agent) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert api("get", ALL)[0] == 200
        return len(seen)

    number = api("post", ALL, NEW)[1]["id"]
    one = queries()
    for _ in range(3):
        api("post", f"{ALL}/{number}/cancel", {"reason": "Again"})
        number = api("post", ALL, NEW)[1]["id"]
    assert queries() == one
