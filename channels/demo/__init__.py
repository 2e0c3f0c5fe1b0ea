"""The channels of the demo: numbers in three countries and a chat, on drafts, live versions, pins and in a test; and a
rollout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentversions.core.yaml_text import read_yaml
from agentversions.models import Agent, User
from channels.core.rollout_steps import Preset, preset_steps
from channels.core.routes import Follow, RoutePlan, Target, WantedVariant, single
from channels.core.shares import read_percent
from channels.models import Channel, Rollout
from channels.services.channels import change_channel, create_channel
from channels.services.rollouts import start_rollout
from channels.services.routes import plan_test, save_route

FILE = Path(__file__).with_name("channels.yaml")


def load_channels(people: Mapping[str, User]) -> None:
    """Add the numbers that are not there yet, through the services that users reach."""
    lines: Any = read_yaml(FILE.read_text(encoding="utf-8"))
    for line in lines:
        if not Channel.objects.filter(address=line["address"]).exists():
            _add(line, people[line["by"]])
    if not Rollout.objects.exists():
        start_rollout(
            agent=Agent.objects.get(slug="pizzeria-orders"),
            version=3,
            steps=preset_steps(Preset.BALANCED),
            reason="A person takes over when the kitchen does not answer: first for a few callers",
            actor=people["ops"],
        )


def _add(line: Mapping[str, Any], actor: User) -> None:
    channel = create_channel(
        kind=line.get("kind", "phone"),
        address=line["address"],
        label=line["label"],
        time_zone=line["time_zone"],
        plan=_plan(line["agent"], line),
        actor=actor,
    )
    for change in line.get("then", ()):
        channel = save_route(channel=channel, plan=_plan(line["agent"], change), reason=change["reason"], actor=actor)
    if not line.get("is_enabled", True):
        change_channel(channel=channel, is_enabled=False, actor=actor)


def _plan(agent: str, values: Mapping[str, Any]) -> RoutePlan:
    if "test" in values:
        variants = [
            WantedVariant(name, _target(agent, answers), read_percent(share)) for name, answers, share in values["test"]
        ]
        return plan_test(variants)
    return single(_target(agent, values["answers"]))


def _target(agent: str, answers: str) -> Target:
    return Target(agent, Follow.VERSION, int(answers)) if answers.isdecimal() else Target(agent, Follow(answers))
