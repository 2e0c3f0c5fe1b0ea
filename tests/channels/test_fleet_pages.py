"""The fleet board: exceptions first, many numbers changed after a dry run, undone, the bad hour taken back."""

import re

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.routes import Follow, Target, WantedVariant, single
from channels.models import Channel, MissedNumber, RouteBatch
from channels.services.batches import apply_moves, plan_moves
from channels.services.draft_serving import wait_for_apply
from channels.services.fleet import Rank, list_fleet
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
V = Follow.VERSION


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


def seen_in(page: str) -> str:
    """The fingerprint of the dry run on a page."""
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


def route_of(channel: Channel) -> str:
    return str(Channel.objects.with_route().get(pk=channel.pk).route)


def test_what_deserves_a_look_comes_first_in_words(fleet: dict[str, Channel]) -> None:
    archived = make_agent(slug="old-desk")
    answered = make_channel(archived)
    Agent.objects.filter(pk=archived.pk).update(archived_at=Now())  # the service would refuse: it still answers
    found = list_fleet()
    assert [(section.rank, section.count) for section in found.sections] == [
        (Rank.ARCHIVED, 1),
        (Rank.DRAFT, 1),
        (Rank.OLD, 1),
        (Rank.TEST, 1),
        (Rank.FINE, 2),
    ]
    concerns = [group.concern for section in found.sections for group in section.groups]
    assert concerns == [
        "“Clinic receptionist” is archived",
        "Every edit reaches callers at once",
        "V1 is old: V2 is live",
        "",
        "",
        "",
    ]
    assert (found.count, found.left_out) == (6, 0)
    assert found.sections[0].groups[0].route == answered.route_id


def test_a_draft_that_waits_for_apply_says_so(fleet: dict[str, Channel], agent: Agent) -> None:
    wait_for_apply(agent=agent, actor=agent.created_by)
    assert list_fleet().sections[0].groups[0].concern == "Edits reach callers after Apply"


def test_a_grave_route_with_one_number_is_shown_before_many_fine_ones(
    fleet: dict[str, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.services.fleet.MOST_SHOWN", 2)
    found = list_fleet()
    assert [section.rank for section in found.sections] == [Rank.DRAFT, Rank.OLD]
    assert (found.count, found.left_out) == (5, 3)


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
    seen = seen_in(page)
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
    chosen = {"channel": [draft.address], "agent": "clinic", "answers": "3"}
    seen = seen_in(client.post("/channels/fleet/repin/", chosen).content.decode())
    pin(channel=draft, target=Target("clinic", V, 2), actor=operator)
    answer = client.post("/channels/fleet/repin/", {**chosen, "seen": seen, "confirm": "1"})
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
    sent = {"since": since, "reason": "Bad hour", "seen": seen_in(page)}
    assert client.post("/channels/fleet/take-back/", sent).status_code == 302
    assert (route_of(fleet["live"]), route_of(fleet["old"])) == ("clinic Live", "clinic V1")
    assert "Give a " in client.get("/channels/fleet/take-back/", {"since": "then"}).content.decode()


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


def test_hundreds_of_ticks_are_carried_to_the_dry_run(client: Client, agent: Agent) -> None:
    """They come by POST: an address has room for a hundred and fifty numbers, gunicorn refuses longer ones."""
    addresses = [make_channel(agent).address for _ in range(210)]
    page = client.get(f"/channels/fleet/{Channel.objects.all()[0].route_id}/numbers/").content.decode()
    assert 'method="post" action="/channels/fleet/repin/"' in page
    assert "200 of 210" in page
    page = client.post("/channels/fleet/repin/", {"channel": addresses}).content.decode()
    assert "Change what answers 210 numbers" in page
    assert page.count('name="channel"') == 210


def test_the_toast_undoes_a_change_and_the_board_is_loaded_again(client: Client, fleet: dict[str, Channel]) -> None:
    moves = plan_moves(Channel.objects.filter(pk=fleet["old"].pk), single(Target("clinic", V, 3)))
    batch = apply_moves(moves=moves, summary="1 number to clinic V3", actor=make_user("operator"))
    answer = client.post(f"/channels/batches/{batch.pk}/undo/", headers={"HX-Request": "true"})
    assert "route-changed" in answer["HX-Trigger"]
    assert "Undone: 1 number to clinic V3." in answer.content.decode()
    again = client.post(f"/channels/batches/{batch.pk}/undo/", headers={"HX-Request": "true"}).content.decode()
    assert "This was undone already." in again
    board = client.get("/channels/fleet/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in board
    assert 'hx-trigger="route-changed from:body' in board


def test_a_change_of_many_numbers_keeps_its_page(client: Client, fleet: dict[str, Channel]) -> None:
    moves = plan_moves(Channel.objects.filter(pk=fleet["old"].pk), single(Target("clinic", V, 3)))
    batch = apply_moves(moves=moves, summary="1 number to clinic V3", reason="Release", actor=make_user("operator"))
    assert f"/channels/batches/{batch.pk}/" in client.get("/channels/batches/").content.decode()
    page = client.get(f"/channels/batches/{batch.pk}/").content.decode()
    assert fleet["old"].shown in page
    assert "Release" in page
    assert client.get("/channels/batches/999999999/").status_code == 404


@pytest.mark.parametrize("sent", [{"channel": "\x00"}, {"route": "x\x00", "agent": "cli\x00nic"}, {"agent": "none"}])
def test_what_nobody_could_have_chosen_is_answered_with_words(
    client: Client, fleet: dict[str, Channel], sent: dict[str, str]
) -> None:
    assert client.post("/channels/fleet/repin/", {"channel": [fleet["old"].address], **sent}).status_code in {200, 422}


@pytest.mark.parametrize("since", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30T10:00", "then\x00"])
@pytest.mark.parametrize("time_zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_a_moment_that_is_none_is_answered_with_words(time_zone: str, since: str) -> None:
    client = Client()
    client.force_login(make_user("operator", time_zone=time_zone))
    answer = client.get("/channels/fleet/take-back/", {"since": since})
    assert answer.status_code == 422
    assert "Give a " in answer.content.decode()
