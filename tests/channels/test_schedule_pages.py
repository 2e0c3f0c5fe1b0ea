"""The pages of planned changes and freeze windows, and their API."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from agentversions.models import Agent, FreezeWindow
from agentversions.models.database import database_now
from agentversions.services.freezes import open_freeze
from agentversions.services.tokens import make_token
from channels.models import Channel, ScheduledChange
from channels.services.schedule_list import upcoming
from channels.services.scheduled_runs import run_due_steps
from tests.factories import make_channel, make_user

from .scheduled import HOUR, Clock, freeze, plan_route, route_of

pytestmark = pytest.mark.django_db
NUMBER = "/channels/+33198765432/"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("operator", time_zone="Europe/Paris"))
    return client


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user("admin", time_zone="Europe/Paris"))
    return client


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432", time_zone="Europe/Paris")


def typed(moment: datetime) -> str:
    """A moment as the browser's field sends it, in Paris."""
    return f"{moment.astimezone(PARIS):%Y-%m-%dT%H:%M}"


def test_a_number_is_planned_in_its_own_zone_and_cancelled(client: Client, channel: Channel) -> None:
    at = database_now() + timedelta(days=1)
    choice = {"mode": "single", "agent": "clinic", "answers": "clinic/2", "reason": "Holiday"}
    answer = client.post(NUMBER, {**choice, "step": "later", "at": typed(at), "back_at": typed(at + HOUR)})
    assert (answer.status_code, answer.headers["Location"]) == (302, NUMBER)
    change = ScheduledChange.objects.get()
    assert change.at == at.replace(second=0, microsecond=0)
    assert (change.time_zone, change.reason, str(change.route)) == ("Europe/Paris", "Holiday", "clinic V2")
    assert f"{change.at.astimezone(PARIS):%-d %b %Y, %H:%M}" in client.get(NUMBER).content.decode()
    assert route_of(channel) == "clinic Draft"
    page = client.get("/channels/schedule/").content.decode()
    assert "Holiday" in page
    one = f"/channels/schedule/{change.pk}/"
    assert "+33 1 98 76 54 32" in client.get(one).content.decode()
    assert client.post(f"{one}cancel/").status_code == 302
    assert upcoming() == []
    assert "Cancelled before it happened" in client.get(one).content.decode()
    again = client.post(f"{one}cancel/", headers={"HX-Request": "true"}).content.decode()
    assert "Nothing is left to cancel" in again


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose the day and time"),
        ({"at": "soon"}, "Give a date and a time"),
        ({"at": "2020-01-01T10:00"}, "That moment has passed"),
        ({"at": "2027-03-28T02:30"}, "the clocks go forward"),
        ({"at": "2027-03-01T02:30", "back_at": "2027-02-01T02:30"}, "The return is not after the change"),
        ({"at": "2027-03-01T02:30", "answers": "clinic/9"}, "has no V9"),
    ],
)
def test_a_plan_that_cannot_be_made_keeps_what_was_typed(
    client: Client, channel: Channel, fields: dict[str, str], words: str
) -> None:
    sent = {"mode": "single", "agent": "clinic", "answers": "clinic/2", "reason": "My reason", **fields}
    answer = client.post(NUMBER, {**sent, "step": "later"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "My reason" in page
    assert fields.get("at", "") in page
    assert not ScheduledChange.objects.exists()


def test_many_numbers_are_planned_from_the_fleet(client: Client, agent: Agent, channel: Channel) -> None:
    other = make_channel(agent, time_zone="Europe/Paris")
    chosen = {"channel": [channel.address, other.address], "agent": "clinic", "answers": "clinic/3"}
    assert "Plan it for 2 numbers" in client.post("/channels/fleet/repin/", chosen).content.decode()
    assert client.post("/channels/fleet/repin/", {**chosen, "later": "1"}).status_code == 422
    moment = {"at": typed(database_now() + HOUR), "time_zone": "Europe/Paris"}
    answer = client.post("/channels/fleet/repin/", {**chosen, "later": "1", **moment})
    change = ScheduledChange.objects.get()
    assert answer.headers["Location"] == f"/channels/schedule/{change.pk}/"
    assert change.items.count() == 2


def test_a_version_is_planned_to_become_live(client: Client, agent: Agent) -> None:
    address = "/agents/clinic/versions/3/live/later/"
    assert 'value="Europe/Paris" selected' in client.get(address).content.decode()
    at = typed(database_now() + HOUR)
    assert client.post(address, {"at": "", "time_zone": "Europe/Paris"}).status_code == 422
    done = client.post(address, {"at": at, "time_zone": "Europe/Paris"}, headers={"HX-Request": "true"})
    assert "schedule-changed" in done.headers["HX-Trigger"]
    assert "clinic V3 live" in client.get("/channels/schedule/").content.decode()


def test_what_became_of_a_change_is_told(
    client: Client, agent: Agent, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = plan_route([channel], make_user("operator"))
    clock = Clock()
    clock.replace(monkeypatch)
    clock.ahead = HOUR
    run_due_steps()
    page = client.get(f"/channels/schedule/{change.pk}/").content.decode()
    assert "1 number was changed." in page
    assert f"/channels/batches/{change.steps.get().batch_id}/" in page
    assert client.get("/channels/schedule/999/").status_code == 404


def test_an_admin_makes_a_freeze_that_everybody_sees_and_lifts_it(
    client: Client, admin: Client, agent: Agent, channel: Channel
) -> None:
    now = database_now()
    sent = {"occasion": "Audit", "starts_at": typed(now - HOUR), "ends_at": typed(now), "time_zone": "Europe/Paris"}
    assert "passed already" in admin.post("/channels/schedule/freezes/new/", sent).content.decode()
    assert client.post("/channels/schedule/freezes/new/", sent).status_code == 403
    assert admin.post("/channels/schedule/freezes/new/", {**sent, "ends_at": typed(now + HOUR)}).status_code == 302
    for address in (NUMBER, "/channels/fleet/", "/channels/schedule/", "/agents/clinic/versions/3/live/"):
        assert "Only an admin changes what answers until then" in client.get(address).content.decode(), address
    saved = {"mode": "single", "agent": "clinic", "answers": "clinic/2", "step": "save", "seen": channel.route_id}
    assert "Ask an admin" in client.post(NUMBER, saved).content.decode()
    assert "Say why it cannot wait" in admin.post(NUMBER, saved).content.decode()
    assert admin.post(NUMBER, {**saved, "reason": "Wrong number announced"}).status_code == 302
    off = {"label": "", "time_zone": "Europe/Paris"}
    assert "Ask an admin" in client.post(f"{NUMBER}settings/", off).content.decode()
    live = client.post("/agents/clinic/versions/3/live/", {"seen": "1"})
    assert (live.status_code, "Ask an admin" in live.content.decode()) == (422, True)
    lift = f"/channels/schedule/freezes/{FreezeWindow.objects.get().pk}/lift/"
    assert client.post(lift).status_code == 403
    assert admin.post(lift).status_code == 302
    assert open_freeze() is None
    assert "Lifted" in client.get("/channels/schedule/freezes/").content.decode()


class Api:
    """A program with a token of one role, whose owner may do everything."""

    def __init__(self, role: str) -> None:
        boss = make_user("admin", is_superuser=True)
        made = make_token(name=role, roles=[role], scopes=["read", "write"], owner=boss, actor=boss)
        self._client = Client(headers={"Authorization": f"Bearer {made.secret}"})

    def __call__(self, path: str, body: Any = None) -> tuple[int, Any]:
        address = f"/api/v1{path}"
        send = self._client.get(address) if body is None else self._client.post(address, body, "application/json")
        return send.status_code, send.json()


def test_the_api_plans_lists_and_cancels(agent: Agent, channel: Channel) -> None:
    api, at = Api("operator"), database_now() + HOUR
    status, made = api(
        "/schedule",
        {"channels": ["+33 1 98 76 54 32"], "route": {"agent": "clinic", "answers": "V2"}, "at": at.isoformat()},
    )
    assert (status, made["state"], made["channels"]) == (201, "planned", [channel.address])
    status, live = api("/schedule", {"live": {"agent": "clinic", "version": 3}, "at": at.isoformat()})
    assert (status, live["agent"], live["version"]) == (201, "clinic", 3)
    page = api("/schedule?limit=1")[1]
    assert [each["id"] for each in page["items"]] == [live["id"]]
    assert [each["id"] for each in api(page["next"].removeprefix("/api/v1"))[1]["items"]] == [made["id"]]
    status, cancelled = api(f"/schedule/{made['id']}/cancel", {})
    assert (status, cancelled["state"], cancelled["steps"][0]["outcome"]) == (200, "cancelled", "cancelled")
    assert api(f"/schedule/{made['id']}/cancel", {})[0] == 422
    assert api("/schedule/999")[0] == 404
    for wrong in (
        {"at": at.isoformat()},
        {"live": {"agent": "clinic", "version": 3}, "at": at.replace(tzinfo=None).isoformat()},
        {"live": {"agent": "clinic", "version": 9}, "at": at.isoformat()},
        {"channels": [], "route": {"agent": "clinic", "answers": "V2"}, "at": at.isoformat()},
    ):
        assert api("/schedule", wrong)[0] in {404, 422}, wrong


def test_a_token_has_no_more_rights_than_its_role_while_routes_are_frozen(agent: Agent) -> None:
    freeze()
    operator, admin = Api("operator"), Api("admin")
    body = {"version": 2, "reason": "Urgent"}
    status, problem = operator("/agents/clinic/live", body)  # its owner is an admin; the token is not
    assert (status, problem["type"]) == (409, "/api/v1/docs#routes-frozen")
    assert admin("/agents/clinic/live", body)[0] == 201
    window = admin("/freezes")[1]["items"][0]
    assert operator(f"/freezes/{window['id']}/lift", {})[0] == 403
    assert admin(f"/freezes/{window['id']}/lift", {})[1]["lifted_at"]
    now = database_now()
    sent = {"occasion": "Audit", "starts_at": now.isoformat(), "ends_at": (now + HOUR).isoformat()}
    assert operator("/freezes", sent)[0] == 403
    assert admin("/freezes", sent)[0] == 201
