"""Who has a flag: the version that answers this caller at that moment takes it, by the code that explains calls."""

from dataclasses import replace

import pytest

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.flags import FlagVariant
from channels.core.rollout_states import Move
from channels.core.rollout_steps import Arm
from channels.core.routes import Follow, Target
from channels.models import Channel
from channels.services.answered import answered_at
from channels.services.channels import change_channel
from channels.services.explain import explain
from channels.services.flag_explain import explain_flag
from channels.services.routes import pin
from tests.channels.replay import now
from tests.factories import make_channel, make_version

from .flagged import SOUND, SWITCH, make_flag
from .moving_rollouts import by_person, start

pytestmark = pytest.mark.django_db

OFF = replace(SWITCH, default="off")


@pytest.fixture
def channel(agent: Agent, operator: User) -> Channel:
    """A number that follows Live, which is V1; a version without the tool is newest."""
    made = make_channel(agent)
    pin(channel=made, target=Target("clinic", Follow.LIVE), actor=operator)
    make_version(agent, name="No tool", tools=[])
    return Channel.objects.with_route().get(pk=made.pk)


def callers_of(channel: Channel) -> dict[Arm, str]:
    """One caller of each arm of the rollout that runs."""
    found: dict[Arm, str] = {}
    for number in range(100):
        caller = f"+336123456{number:02d}"
        served = explain(channel, caller=caller).served
        assert served is not None
        assert served.assignment is not None
        found.setdefault(served.assignment.arm, caller)
    return found


def test_a_caller_of_the_canary_gets_the_flags_of_its_version(agent: Agent, channel: Channel, operator: User) -> None:
    newest = agent.versions.get(name="No tool")
    by_person(start(agent, operator, version=newest.number), Move.ADVANCE, operator)
    callers = callers_of(channel)
    make_flag(OFF, actor=operator)
    stable = explain_flag(OFF, channel=channel, caller=callers[Arm.STABLE])
    assert stable.effect == "clinic V1 answers with this change."
    assert stable.effective == explain(channel, caller=callers[Arm.STABLE]).effective
    assert f"Rollout of V{newest.number}: the stable arm" in stable.facts
    canary = explain_flag(OFF, channel=channel, caller=callers[Arm.CANARY])
    assert canary.effect.startswith(f"clinic V{newest.number} answers as it is: ")
    assert canary.effective == ""
    assert f"Rollout of V{newest.number}: the canary arm" in canary.facts
    assert "name a caller" in explain_flag(OFF, channel=channel).effect


def test_an_earlier_moment_is_answered_by_what_answered_then(agent: Agent, channel: Channel, operator: User) -> None:
    then = now()
    make_live(version=agent.versions.get(name="No tool"), actor=operator)
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 2), actor=operator)
    channel = Channel.objects.with_route().get(pk=channel.pk)
    assert explain_flag(OFF, channel=channel, at=then).effect == "clinic V1 answers with this change."
    assert explain_flag(OFF, channel=channel).effect == "clinic V2 answers with this change."


def test_a_number_that_answers_nobody_says_so(channel: Channel, operator: User) -> None:
    change_channel(channel=channel, is_enabled=False, actor=operator)
    assert "was switched off" in explain_flag(OFF, channel=channel).effect


def test_one_flag_alone_leaves_what_all_leave_when_it_is_the_only_one(
    agent: Agent, channel: Channel, operator: User
) -> None:
    sound = replace(SOUND, default="office", variants=(FlagVariant("office", True),))
    make_flag(sound, actor=operator)
    said = explain_flag(sound, channel=channel, caller="06 12 34 56 78")
    assert said.effective == answered_at(channel, now(), caller="06 12 34 56 78").effective
    assert said.effective != agent.versions.get(number=1).configuration_id
