"""The flags of the demo: a tool that is off at night, a behaviour for a share of callers, a plain value."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from agentversions.core.yaml_text import read_yaml
from agentversions.models import Agent, User
from agentversions.services.deployments import live_version
from channels.core.bucketing import BUCKETS
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant, Rule, Schedule
from channels.models import Flag
from channels.services.flag_callers import hash_of
from channels.services.flags import create_flag

FILE = Path(__file__).with_name("flags.yaml")


def load_flags(people: Mapping[str, User]) -> None:
    """Add the flags that are not there yet, through the service that users reach."""
    lines: Any = read_yaml(FILE.read_text(encoding="utf-8"))
    for line in lines:
        subject = line.get("subject", "") or _first_tool(line["agent"] if line["type"] == FlagType.TOOL else "")
        if Flag.objects.filter(key=line["key"]).exists() or (line["type"] == FlagType.TOOL and not subject):
            continue
        value = FlagValue(
            key=line["key"],
            type=FlagType(line["type"]),
            agent=line["agent"],
            subject=subject,
            default=line["default"],
            when_disabled=line["default"],
            variants=tuple(FlagVariant(name, each) for name, each in line.get("variants", {}).items()),
            rules=tuple(_rule(rule) for rule in line["rules"]),
        )
        callers = [caller for rule in line["rules"] for caller in rule.get("callers", ())]
        create_flag(value=value, description=line["description"], callers=callers, actor=people[line["by"]])


def _first_tool(slug: str) -> str:
    agent = Agent.objects.filter(slug=slug).first() if slug else None
    live = live_version(agent) if agent else None
    return next((tool.name for tool in live.configuration.load().tools), "") if live else ""


def _rule(line: Mapping[str, Any]) -> Rule:
    return Rule(
        name=line["name"],
        gives=line["gives"],
        callers=frozenset(map(hash_of, line.get("callers", ()))),
        schedule=_schedule(line["schedule"]) if "schedule" in line else None,
        share=line.get("share", BUCKETS),
    )


def _schedule(line: Mapping[str, Any]) -> Schedule:
    days = {name: date.fromisoformat(str(line[name])) for name in ("first", "last") if name in line}
    return Schedule(tuple(line.get("days", ())), line.get("start", 0), line.get("stop", 1440), **days)
