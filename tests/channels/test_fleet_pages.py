"""The fleet board: exceptions first, many numbers changed after a dry run, undone, the bad hour taken back."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.routes import Follow, Target, WantedVariant, single
from channels.models import Channel, MissedNumber, RouteBatch
from channels.services.fleet import list_fleet
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
V = Follow.VERSION


@pytest.fixture
def operator() -> User:
    return make_user("operator", time_zone="UTC")


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    for number in range(1, 4):
        make_version(agent, name=f"Version {number}", system_prompt=f"Prompt {number}.")
    make_live(version=agent.versions.get(number=2), actor=agent.created_by)
    return agent


@pytest.fixture
def fleet(agent: Agent) -> dict[str, Channel]:
    """One number for each thing that can be said of a route."""
    plans = {
        "draft": single(Target("clinic")),
        "live": single(Target("clinic", Follow.LIVE)),
        "old": single(Target("clinic", V, 1)),
        "newest": single(Target("clinic", V, 3)),
        "test": plan_test(
            [WantedVariant("A", Target("clinic", V, 2), 50_000), WantedVariant("B", Target("clinic", V, 3), 50_000)]
        ),
    }
    return {name: make_channel(agent, plan=plan) for name, plan in plans.items()}


def route_of(channel: Channel) -> str:
    return str(Channel.objects.with_route().get(pk=channel.pk).route)


def test_what_deserves_a_look_comes_first_in_words(fleet: dict[str, Channel]) -> None:
    groups = list_fleet()
    assert [(group.rank, group.concern) for group in groups] == [
        (1, "Every edit of the draft is heard"),
        (2, "An old version: V2 is live"),
        (3, "In an A/B test"),
        (4, ""),
        (4, ""),
    ]


def test_the_board_takes_the_same_queries_for_many_numbers(client: Client, agent: Agent, operator: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/channels/fleet/").status_code == 200
        return len(captured)

    make_channel(agent)
    few = queries()
    for _ in range(20):
        make_channel(agent)
    assert queries() == few


def test_many_numbers_are_changed_after_a_dry_run_and_the_whole_is_undone(
    client: Client, fleet: dict[str, Channel]
) -> None:
    draft, old = fleet["draft"], fleet["old"]
    chosen = {"route": [draft.route_id], "channel": [old.address], "agent": "clinic", "answers": "3", "reason": "Go"}
    page = client.post("/channels/fleet/repin/", chosen).content.decode()
    assert "Change 2 numbers" in page
    assert route_of(draft) == "clinic Draft"
    seen = [draft.route_id, old.route_id]
    assert client.post("/channels/fleet/repin/", {**chosen, "seen": seen, "confirm": "1"}).status_code == 302
    assert (route_of(draft), route_of(old)) == ("clinic V3", "clinic V3")
    batch = RouteBatch.objects.get()
    assert client.post(f"/channels/batches/{batch.pk}/undo/").status_code == 302
    assert (route_of(draft), route_of(old)) == ("clinic Draft", "clinic V1")
    assert "Undone" in client.get("/channels/fleet/").content.decode()


def test_a_number_that_moved_after_the_dry_run_stops_the_change(
    client: Client, fleet: dict[str, Channel], operator: User
) -> None:
    draft = fleet["draft"]
    pin(channel=draft, target=Target("clinic", V, 2), actor=operator)
    chosen = {"channel": [draft.address], "agent": "clinic", "answers": "3", "seen": [draft.route_id], "confirm": "1"}
    answer = client.post("/channels/fleet/repin/", chosen)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.content.decode()
    assert route_of(draft) == "clinic V2"


def test_everything_since_a_moment_is_taken_back_after_a_dry_run(
    client: Client, fleet: dict[str, Channel], operator: User
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
        (since,) = cursor.fetchone()
    pin(channel=fleet["live"], target=Target("clinic", V, 1), actor=operator)
    save_route(channel=fleet["old"], plan=single(Target("clinic")), actor=operator)
    page = client.get("/channels/fleet/take-back/", {"since": since}).content.decode()
    assert "2 numbers would answer as then" in page
    assert client.post("/channels/fleet/take-back/", {"since": since, "reason": "Bad hour"}).status_code == 302
    assert (route_of(fleet["live"]), route_of(fleet["old"])) == ("clinic Live", "clinic V1")
    assert "is no moment" in client.get("/channels/fleet/take-back/", {"since": "then"}).content.decode()


def test_a_group_lists_its_numbers(client: Client, fleet: dict[str, Channel]) -> None:
    page = client.get(f"/channels/fleet/{fleet['old'].route_id}/numbers/").content.decode()
    assert fleet["old"].shown in page
    assert fleet["draft"].shown not in page
    assert client.get("/channels/fleet/none/numbers/").status_code == 404


def test_numbers_that_nothing_answered_are_shown_and_forgotten(client: Client) -> None:
    MissedNumber.objects.create(number="+33198760000", why="Unknown number", times=3)
    assert "Callers reached 1 number" in client.get("/channels/fleet/").content.decode()
    page = client.get("/channels/missed/").content.decode()
    assert "+33198760000" in page
    assert "3 calls" in page
    assert "/channels/new/?number=%2B33198760000" in page
    client.post("/channels/missed/forget/", {"number": "+33198760000"})
    assert not MissedNumber.objects.exists()
