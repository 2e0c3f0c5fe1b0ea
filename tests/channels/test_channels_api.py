"""Channels over the API: the same services as the pages, by the same rules."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from agentversions.models import Agent
from agentversions.services.deployments import make_live
from channels.core.bucketing import bucket_of
from channels.core.resolution import verify
from channels.core.routes import Follow, Target
from channels.models import Channel, SigningKey
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_user, make_version

from .runtime import resolve_token

pytestmark = pytest.mark.django_db
ONE = "/api/v1/channels/+33198765432"


class Api:
    """A program with a token."""

    def __init__(self, secret: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        send = getattr(self._client, method)
        options = {} if method == "get" else {"content_type": "application/json"}
        answer = send(path, body, headers=headers, **options)
        return answer.status_code, answer.json()


@pytest.fixture
def api() -> Api:
    from agentversions.services.tokens import make_token

    boss = make_user("admin", is_superuser=True)
    return Api(make_token(name="ops", roles=["operator"], scopes=["read", "write"], owner=boss, actor=boss).secret)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent)
    return agent


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432")


def test_a_channel_is_added_listed_and_changed(api: Api, agent: Agent) -> None:
    body = {"address": "01 98 76 54 32", "region": "FR", "agent": "clinic", "answers": "V1", "label": "Desk"}
    status, made = api("post", "/api/v1/channels", body)
    assert (status, made["address"], made["route"]["answers"]) == (201, "+33198765432", "V1")
    assert api("get", "/api/v1/channels?search=98+76")[1]["items"] == [made]
    assert api("get", "/api/v1/channels?answers=draft")[1]["items"] == []
    status, changed = api("patch", ONE, {"is_enabled": False, "label": "Night"})
    assert (status, changed["is_enabled"], changed["label"]) == (200, False, "Night")
    assert api("get", "/api/v1/channels/+33 1 98 76 54 32")[1] == changed


def test_lists_go_on_from_the_last_address(api: Api, agent: Agent) -> None:
    addresses = sorted(make_channel(agent).address for _ in range(5))
    found, path = [], "/api/v1/channels?limit=2"
    while path:
        page = api("get", path)[1]
        found += [each["address"] for each in page["items"]]
        path = page["next"]
    assert found == addresses


def test_a_route_is_written_only_by_whoever_saw_the_last(api: Api, channel: Channel, agent: Agent) -> None:
    status, route = api("get", f"{ONE}/route")
    assert (status, route["agent"], route["answers"]) == (200, "clinic", "draft")
    assert api("put", f"{ONE}/route", {"agent": "clinic", "answers": "V1"})[0] == 428
    tag = f'"{route["digest"]}"'
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    status, problem = api("put", f"{ONE}/route", {"agent": "clinic"}, **{"If-Match": tag})
    channel.refresh_from_db()
    assert (status, problem["digest"]) == (412, channel.route_id)
    status, saved = api(
        "put", f"{ONE}/route", {"agent": "clinic", "answers": "draft"}, **{"If-Match": f'"{problem["digest"]}"'}
    )
    assert (status, saved["digest"]) == (200, route["digest"])


def test_a_test_is_written_and_its_plan_decides_as_the_bucket_rule_says(api: Api, channel: Channel) -> None:
    variants = [
        {"name": "Control", "agent": "clinic", "answers": "V1", "share": "66.667"},
        {"name": "Draft", "agent": "clinic", "answers": "draft", "share": "33.333"},
    ]
    status, saved = api("put", f"{ONE}/route", {"variants": variants}, **{"If-Match": "*"})
    assert (status, saved["variants"]) == (200, variants)
    SigningKey.objects.create(name="k1", secret=b"s" * 32)
    plan = api("get", f"{ONE}/plan")[1]
    bucket = bucket_of(plan["salt"], "+33612345678")
    (chosen,) = [each for each in plan["variants"] if any(start <= bucket < stop for start, stop in each["ranges"])]
    explained = api("get", f"{ONE}/explain?caller=0612345678")[1]
    assert (explained["variant"], explained["bucket"], explained["digest"]) == (
        chosen["name"],
        bucket,
        chosen["digest"],
    )
    signed = verify(chosen["resolution"], keys={"k1": b"s" * 32}, now=0)
    assert (signed["t"], signed["d"]) == (chosen["name"], chosen["digest"])


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({}, "", "Send either"),
        ({"agent": "nobody"}, "", "no agent “nobody”"),
        ({"agent": "clinic", "answers": "V9"}, "", "its newest is V1"),
        ({"agent": "clinic", "answers": "live"}, "", "no live version yet"),
        (
            {"variants": [{"name": "A", "agent": "clinic", "answers": "V1", "share": "50"}]},
            "",
            "A test needs two variants",
        ),
        (
            {
                "variants": [
                    {"name": "A", "agent": "clinic", "answers": "V1", "share": "50"},
                    {"name": "B", "agent": "clinic", "answers": "V2", "share": "50"},
                ]
            },
            "variants[1]",
            "has no V2",
        ),
        (
            {
                "variants": [
                    {"name": "A", "agent": "clinic", "answers": "V1", "share": "50"},
                    {"name": "B", "agent": "clinic", "answers": "draft", "share": "half"},
                ]
            },
            "variants[1]",
            "Write the share in per cent",
        ),
    ],
)
def test_a_wrong_route_is_refused_at_its_place(
    api: Api, channel: Channel, body: dict[str, Any], path: str, words: str
) -> None:
    status, problem = api("put", f"{ONE}/route", body, **{"If-Match": "*"})
    assert status == 422
    assert any(each["path"] == path and words in each["detail"] for each in problem["errors"]), problem


def test_what_answered_then_is_asked_with_a_moment(api: Api, channel: Channel, agent: Agent) -> None:
    make_live(version=agent.versions.get(), reason="Go", actor=agent.created_by)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), reason="Follow", actor=agent.created_by)
    said = api("get", f"{ONE}/route?at=2099-01-01T00:00:00Z")[1]
    assert (said["agent"], said["version"], said["reason"]) == ("clinic", 1, "Follow")
    early = api("get", f"{ONE}/route?at=2020-01-01T00:00:00Z")[1]
    assert early["digest"] is None
    assert "was not there yet" in early["why"]


def test_a_moment_without_a_zone_is_the_channels_own(api: Api, channel: Channel, agent: Agent) -> None:
    api("patch", ONE, {"time_zone": "Asia/Tokyo"})
    said = api("get", f"{ONE}/route?at=2099-01-01T09:00:00")[1]
    assert datetime.fromisoformat(said["at"]) == datetime(2099, 1, 1, tzinfo=UTC)
    assert said["configuration"] == f"/api/v1/configurations/{agent.draft_id}"
    assert (said["digest"], said["moved_by"]) == (agent.draft_id, agent.created_by.username)


def test_unknown_channels_and_missing_scopes(api: Api, channel: Channel) -> None:
    assert api("get", "/api/v1/channels/+33198765499")[0] == 404
    assert Api(resolve_token())("get", ONE)[0] == 403


def test_the_document_describes_resolving(api: Api) -> None:
    schema = api("get", "/api/v1/openapi.json")[1]
    operation = schema["paths"]["/api/v1/resolve"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Question"
    assert {"number", "caller", "call_id", "have"} <= set(schema["components"]["schemas"]["Question"]["properties"])
