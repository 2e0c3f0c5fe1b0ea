"""The first thing on a number's page: what answers now; and a form from which nothing is lost or taken silently."""

from typing import Any

import pytest
from django.test import Client

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.routes import Follow, Target, WantedVariant
from channels.models import Channel
from channels.services.answers_now import answers_now
from channels.services.channels import change_channel
from channels.services.choices import answers_of
from channels.services.draft_serving import wait_for_apply
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
NUMBER = "/channels/+33198765432/"


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent, name="First opening")
    make_version(agent, name="Second opening", system_prompt="Second")
    return agent


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432")


def now_of(channel: Channel) -> Any:
    return answers_now(Channel.objects.with_route().get(pk=channel.pk))


def two(first: str, second: str) -> dict[str, Any]:
    return {
        "mode": "test",
        "name": ["Control", "Test"],
        "agent": ["clinic", "clinic"],
        "answers": ["clinic/1", "draft"],
        "share": [first, second],
    }


def test_a_live_number_says_since_when_and_where_back(client: Client, channel: Channel, agent: Agent) -> None:
    first, second = agent.versions.order_by("number")
    operator = make_user("operator")
    make_live(version=first, actor=operator)
    make_live(version=second, reason="Release", actor=operator)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), reason="Follow releases", actor=operator)
    now = now_of(channel)
    (part,) = now.parts
    assert (part.followed.version, part.way_back, part.followed.moved_by) == (second, first, operator)
    assert (now.set_by, now.reason) == (operator, "Follow releases")
    page = client.get(NUMBER).content.decode()
    assert "Roll back to V1" in page
    assert "/agents/clinic/versions/1/live/" in page


def test_each_variant_of_a_test_says_what_it_comes_to(channel: Channel, agent: Agent) -> None:
    wanted = [
        WantedVariant("Control", Target("clinic", Follow.VERSION, 1), 66_667),
        WantedVariant("Test", Target("clinic"), 33_333),
    ]
    save_route(channel=channel, plan=plan_test(wanted), actor=agent.created_by)
    agent.refresh_from_db()
    wait_for_apply(agent=agent, actor=agent.created_by)
    control, test = now_of(channel).parts
    assert (control.name, control.share, control.followed.version.number) == ("Control", "66.667", 1)
    assert (test.share, test.followed.waits_for_apply, test.followed.digest) == ("33.333", True, agent.draft_id)


def test_a_number_that_is_off_says_so_first(client: Client, channel: Channel, operator: User) -> None:
    change_channel(channel=channel, is_enabled=False, actor=operator)
    page = client.get(NUMBER).content.decode()
    assert "Every call gets a 404." in page
    assert "Switch it on" in page


def test_a_refused_form_never_takes_back_what_another_saved_meanwhile(
    client: Client, channel: Channel, agent: Agent
) -> None:
    seen = channel.route_id
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 2), actor=agent.created_by)
    for values in (two("60", "30"), {**two("60", "40"), "step": "add"}):
        answer = client.post(NUMBER, {"seen": seen, **values})
        assert f'name="seen" value="{seen}"' in answer.content.decode()
    assert client.post(NUMBER, {"seen": seen, **two("60", "40")}).status_code == 409
    assert str(Channel.objects.with_route().get(pk=channel.pk).route) == "clinic V2"


def test_a_version_of_another_agents_list_is_never_taken_for_this_agents(client: Client, channel: Channel) -> None:
    make_version(make_agent(slug="sales"))
    values = {"seen": channel.route_id, "mode": "single", "agent": "sales", "answers": "clinic/1"}
    answer = client.post(NUMBER, values)
    assert answer.status_code == 422
    assert "Choose what of the agent answers." in answer.content.decode()
    assert '<option value="" selected>Choose what answers</option>' in answer.content.decode()


def test_versions_of_another_agent_are_shown_with_scripts_off(client: Client, channel: Channel) -> None:
    make_version(make_agent(slug="sales"), name="Sales opening")
    values = {"seen": channel.route_id, "mode": "single", "agent": "sales", "answers": "draft", "step": "versions"}
    page = client.post(NUMBER, values).content.decode()
    assert "Show versions" in page
    assert "V1 · Sales opening" in page


def test_nothing_is_chosen_silently(agent: Agent) -> None:
    for chosen, words in (
        ("draft", "Draft · follows every edit"),
        ("clinic/2", "V2 · Second opening"),
        ("1", "V1 · First opening"),
        ("live", "Live · none yet"),
        ("sales/1", "Choose what answers"),
        ("9", "Choose what answers"),
        ("²", "Choose what answers"),
    ):
        assert [choice.words for choice in answers_of("clinic", chosen) if choice.is_chosen] == [words]


@pytest.mark.parametrize("step", ["save", "test", "add", "remove:0", "remove:x", "single", "versions", ""])
def test_nul_and_missing_values_are_read_with_words(client: Client, channel: Channel, step: str) -> None:
    broken = {"name": ["A\x00", "B"], "agent": ["cli\x00nic", "\x00"], "answers": ["1\x00"], "share": ["50\x00"]}
    for mode in ("single", "test"):
        values = {"seen": "\x00", "mode": mode, "reason": "why\x00", "step": step, **broken}
        assert client.post(NUMBER, values).status_code in {200, 409, 422}


def test_what_answered_says_share_and_bucket(client: Client, channel: Channel) -> None:
    client.post(NUMBER, {"seen": channel.route_id, **two("60", "40")})
    page = client.get(f"{NUMBER}answered/", {"at": "2099-01-01T10:00", "caller": "06 12 34 56 78"}).content.decode()
    assert " %: bucket " in page
    assert "of 100,000, by the caller’s number" in page
