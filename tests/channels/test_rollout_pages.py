"""The pages of rollouts: what is typed is never lost, every move asks first, other pages say what goes on."""

from typing import Any

import pytest
from django.test import Client

from agentversions.models import Agent, User
from agentversions.services.deployments import live_version
from channels.core.rollout_states import Move
from channels.core.routes import Follow, Target
from channels.models import Channel, Rollout
from channels.services.rollouts import open_rollout
from channels.services.routes import pin
from tests.factories import make_user

from .moving_rollouts import by_judge, by_person, start
from .scheduled import freeze, route_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
BALANCED = {
    "agent": "clinic", "version": "2", "preset": "balanced", "share": ["10", "25", "50"], "margin": ["3", "2", "1.5"],
    "soak": ["2", "2", "2"], "max_days": "30", "when": "now", "step": "start",
}  # fmt: skip


def post(client: Client, **fields: Any) -> Any:
    return client.post("/rollouts/new/", {**BALANCED, **fields})


def test_the_form_begins_with_the_agent_and_version_of_its_address_and_the_balanced_preset(
    agent: Agent, client: Client
) -> None:
    page = client.get("/rollouts/new/?agent=clinic&version=2").content.decode()
    assert '<option value="clinic" selected>' in page
    assert '<option value="2" selected>V2 · Version 2</option>' in page
    assert "It is compared with V1" in page
    assert [f'name="share" value="{share}"' in page for share in ("10", "25", "50")] == [True] * 3
    assert 'name="max_days" value="30"' in page
    assert '<option value="1"' not in page  # the live version is not offered


def test_a_preset_fills_the_steps_and_an_added_step_makes_them_ones_own(agent: Agent, client: Client) -> None:
    fast = post(client, preset="fast", step="preset").content.decode()
    assert fast.count('name="share"') == 2
    assert 'name="soak" value="0.5"' in fast
    assert 'name="max_days" value="14"' in fast
    own = post(client, step="add").content.decode()
    assert own.count('name="share"') == 4
    assert 'value="own" id="preset-own" checked' in own
    assert post(client, preset="own", step="preset").content.decode().count('name="share"') == 3
    assert post(client, step="remove:1").content.decode().count('name="share"') == 2


def test_it_starts_and_its_page_shows_where_it_stands(agent: Agent, client: Client, operator: User) -> None:
    answer = post(client, reason="New prompt", guardrails=["latency"], rule="threshold", least_sample="150")
    rollout = Rollout.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/rollouts/{rollout.pk}/")
    assert (rollout.created_by, rollout.reason, rollout.judging.least_sample) == (operator, "New prompt", 150)
    page = client.get(answer["Location"]).content.decode()
    for words in ("Canary at 10 %", "Started at 10 %", "New prompt", "10 % of callers get V2, the others V1.",
                  "Simple rule, from 150 canary calls on", "latency", "a person is asked"):  # fmt: skip
        assert words in page
    for button in ("pause", "roll_back", "promote", "advance", "hold", "cancel"):
        assert f"/rollouts/{rollout.pk}/move/{button}/" in page


def test_numbers_can_be_switched_to_live_from_the_form(agent: Agent, client: Client, channels: list[Channel]) -> None:
    pin(channel=channels[2], target=Target("clinic", Follow.LIVE), actor=make_user("operator"))
    page = client.get("/rollouts/new/?agent=clinic&version=2").content.decode()
    assert "1 channel follows Live and takes part" in page
    assert f'value="{channels[0].address}"' in page
    assert f'value="{channels[2].address}"' not in page
    post(client, follow_live=[channels[0].address])
    assert [route_of(channel) for channel in channels] == ["clinic Live", "clinic Draft", "clinic Live"]


def test_a_moment_is_read_in_its_time_zone(agent: Agent, client: Client) -> None:
    post(client, when="later", starts_at="2027-01-10T09:00", time_zone="Europe/Paris")
    rollout = Rollout.objects.get()
    assert rollout.starts_at is not None
    assert (rollout.state, rollout.starts_at.isoformat()) == ("scheduled", "2027-01-10T08:00:00+00:00")
    assert "Start now" in client.get(f"/rollouts/{rollout.pk}/").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"version": "1"}, "V1 is live already"),
        ({"version": "draft"}, "A draft cannot be rolled out. Publish it"),
        ({"version": "9"}, "There is no V9 of this agent"),
        ({"version": ""}, "Choose the version to roll out"),
        ({"agent": ""}, "Choose an agent."),
        ({"agent": "nobody"}, "There is no such agent"),
        ({"share": ["10", "5", "50"]}, "must be above the step before it (10 %)"),
        ({"share": ["0", "25", "50"]}, "gives the version to nobody"),
        ({"share": ["10", "25", "100"]}, "Stay below 100 %"),
        ({"share": ["ten", "25", "50"]}, "Write the share in per cent"),
        ({"margin": ["3", "2", "1"]}, "must be at least 1.1"),
        ({"margin": ["3", "nan", "2"]}, "Write the margin as a number"),
        ({"margin": ["2", "3", "1.5"]}, "must not be above that of the step before"),
        ({"soak": ["2", "2", "soon"]}, "Write the time in hours"),
        ({"soak": ["2", "2", "-1"]}, "cannot be negative"),
        ({"max_days": "0.1"}, "Allow more time, or shorten a soak time"),
        ({"max_days": "100"}, "at most 90 days"),
        ({"max_days": "long"}, "Write the longest time in days"),
        ({"least_sample": "-3"}, "Write the smallest sample"),
        ({"figures": "prometheus", "guardrails": ["latency"]}, "Leave the guardrails out"),
        ({"when": "later", "starts_at": ""}, "Give a date and a time"),
        ({"when": "later", "starts_at": "2020-01-01T10:00"}, "That moment has passed"),
        ({"follow_live": ["+33100000000"]}, "is not on the draft or on a version"),
    ],
)  # fmt: skip
def test_bad_input_is_said_at_its_field_and_nothing_typed_is_lost(
    agent: Agent, client: Client, fields: dict[str, Any], words: str
) -> None:
    answer = post(client, reason="Keep “this” <b>", **fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Keep “this” &lt;b&gt;" in page
    for name in ("share", "margin", "soak"):
        for typed in fields.get(name, []):
            assert f'name="{name}" value="{typed}"' in page
    assert not Rollout.objects.exists()


def test_nul_and_a_flood_of_steps_are_answered(agent: Agent, client: Client) -> None:
    assert post(client, agent="cli\x00nic", reason="a\x00b").status_code == 302
    assert post(client, share=["1"] * 500).status_code == 422


def test_a_second_rollout_is_refused_with_a_link_to_the_open_one(agent: Agent, client: Client, operator: User) -> None:
    rollout = start(agent, operator)
    answer = post(client, version="3")
    assert answer.status_code == 422
    assert f'The rollout of V2 is not over: it is running. Promote it, roll it back or cancel it first. <a href="/rollouts/{rollout.pk}/">' in answer.content.decode()  # fmt: skip # noqa: E501


def test_a_freeze_is_said_in_the_form(agent: Agent, client: Client) -> None:
    freeze()
    answer = post(client)
    assert answer.status_code == 422
    assert "Ask an admin: only they change what answers until then" in answer.content.decode()


def test_a_move_asks_first_and_is_made_from_what_was_shown(agent: Agent, client: Client, operator: User) -> None:
    rollout = start(agent, operator)
    address = f"/rollouts/{rollout.pk}/move/roll_back/"
    dialog = client.get(address, headers=HTMX).content.decode()
    assert "Roll V2 back now?" in dialog
    assert "Every caller gets V1 from the next call on. V1 is and stays live." in dialog
    seen = rollout.moves.get().pk
    missing = client.post(address, {"seen": seen, "reason": " "}, headers=HTMX)
    assert (missing.status_code, "Say why" in missing.content.decode()) == (422, True)
    by_judge(rollout, Move.ADVANCE)
    late = client.post(address, {"seen": seen, "reason": "Complaints"}, headers=HTMX)
    assert late.status_code == 422
    assert "moved meanwhile" in late.content.decode()
    assert 'value="Complaints"' in late.content.decode()
    newest = rollout.moves.order_by("-id").values_list("pk", flat=True)[0]
    gone = client.post(address, {"seen": newest, "reason": "Complaints"}, headers=HTMX)
    assert (gone.status_code, gone["HX-Trigger"]) == (200, '{"rollout-changed": {}}')
    assert (open_rollout(agent), str(live_version(agent))) == (None, "V1")
    assert "this cannot be done" in client.get(address, headers=HTMX).content.decode()


@pytest.mark.parametrize("move", ["start", "advance", "pause", "resume", "hold", "promote", "cancel"])
def test_every_move_has_its_words(agent: Agent, client: Client, operator: User, move: str) -> None:
    later = {"starts_at": "2027-01-10T08:00:00+00:00"}
    rollout = start(agent, operator)
    if move == "resume":
        by_person(rollout, Move.PAUSE, operator)
    if move == "start":
        by_person(rollout, Move.CANCEL, operator)
        post(client, when="later", starts_at=later["starts_at"], time_zone="UTC")
        rollout = Rollout.objects.get(state="scheduled")
    address = f"/rollouts/{rollout.pk}/move/{move}/"
    assert "V2" in client.get(address).content.decode()
    newest = rollout.moves.order_by("-id").values_list("pk", flat=True).first() or 0
    assert client.post(address, {"seen": newest, "reason": "Because"}).status_code == 302
    assert rollout.moves.order_by("-id")[0].move == move


def test_only_real_moves_and_rollouts_have_pages(agent: Agent, client: Client, operator: User) -> None:
    rollout = start(agent, operator)
    for path in (f"/rollouts/{rollout.pk}/move/explode/", "/rollouts/999999/", "/rollouts/999999/move/pause/"):
        assert client.get(path).status_code == 404
    assert "It would" not in client.get(f"/rollouts/{rollout.pk}/move/find_unhealthy/").content.decode()


def test_the_list_has_the_open_ones_first_and_can_be_narrowed(agent: Agent, client: Client, operator: User) -> None:
    over = start(agent, operator, reason="The first one")
    by_person(over, Move.ROLL_BACK, operator)
    assert "Over" in client.get("/rollouts/").content.decode()
    start(agent, operator, version=3, reason="The second one")
    page = client.get("/rollouts/").content.decode()
    assert page.index("The second one") < page.index("The first one")
    assert "The second one" not in client.get("/rollouts/?state=rolled_back").content.decode()
    assert "No rollout matches" in client.get("/rollouts/?agent=nobody&state=paused").content.decode()


def test_other_pages_say_that_a_version_is_rolled_out(
    agent: Agent, client: Client, operator: User, channels: list[Channel]
) -> None:
    pin(channel=channels[0], target=Target("clinic", Follow.LIVE), actor=operator)
    offer = client.get("/agents/clinic/rollout/", headers=HTMX).content.decode()
    assert "/rollouts/new/?agent=clinic&amp;version=3" in offer
    assert client.get("/rollouts/open/", headers=HTMX).content.decode().strip() == ""
    rollout = start(agent, operator)
    line = client.get("/agents/clinic/rollout/?brief", headers=HTMX).content.decode()
    assert "V2 is going to 10 % of callers." in line
    marks = client.get("/agents/clinic/rollout/marks/", headers=HTMX).content.decode()
    assert 'id="uses-of-version-2" hx-swap-oob="true"' in marks
    assert "Canary 10 %" in marks
    assert "open</span>" in client.get("/rollouts/open/", headers=HTMX).content.decode()
    assert "/agents/clinic/rollout/?brief" in client.get(f"/channels/{channels[0].address}/").content.decode()
    assert "/rollouts/new/?agent=clinic&amp;version=3" in client.get("/agents/clinic/versions/").content.decode()
    by_judge(rollout, Move.FIND_UNHEALTHY)
    assert "V2 goes to nobody." in client.get("/agents/clinic/rollout/", headers=HTMX).content.decode()
    assert "cannot be trusted" in client.get(f"/rollouts/{rollout.pk}/").content.decode()


def test_a_reader_sees_everything_and_moves_nothing(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    reader = Client()
    reader.force_login(make_user("viewer"))
    page = reader.get(f"/rollouts/{rollout.pk}/").content.decode()
    assert "Canary at 10 %" in page
    assert "/move/" not in page
    for path in ("/rollouts/new/", f"/rollouts/{rollout.pk}/move/pause/"):
        assert reader.get(path).status_code == 403
    assert reader.post(f"/rollouts/{rollout.pk}/move/pause/", {"seen": 0}).status_code == 403
    assert reader.delete(f"/rollouts/{rollout.pk}/").status_code == 405


def test_the_page_of_a_rollout_costs_the_same_however_long_its_story(
    agent: Agent, client: Client, operator: User, django_assert_max_num_queries: Any
) -> None:
    rollout = start(agent, operator)
    for _ in range(10):
        by_person(rollout, Move.PAUSE, operator)
        by_person(rollout, Move.RESUME, operator)
    with django_assert_max_num_queries(10):
        client.get(f"/rollouts/{rollout.pk}/")
