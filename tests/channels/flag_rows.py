"""Flags as rows, for those who ask for them: straight into the tables, without the services' checks."""

from agentversions.models import Agent
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant, Rule, write_flag
from channels.models import Flag, FlagRevision
from tests.factories import make_user

TYPES: dict[str, tuple[FlagType, object, object]] = {
    "boolean": (FlagType.BOOLEAN, True, False),
    "string": (FlagType.STRING, "warm", "cold"),
    "integer": (FlagType.INTEGER, 7, 0),
    "float": (FlagType.NUMBER, 2.0, 0.5),
    "object": (FlagType.JSON, {"voice": "nova"}, {}),
}
"""OpenFeature's five types: ours, a value that is given, and another."""


def save(value: FlagValue, *, is_archived: bool = False) -> FlagRevision:
    """A flag with this value, or its next revision."""
    actor = make_user("operator")
    agent = Agent.objects.filter(slug=value.agent).first()
    flag, _ = Flag.objects.get_or_create(key=value.key, defaults={"agent": agent, "created_by": actor})
    number = flag.revisions.count() + 1
    body = write_flag(value)
    return FlagRevision.objects.create(flag=flag, number=number, body=body, is_archived=is_archived, created_by=actor)


def plain(name: str, key: str, *, rules: tuple[Rule, ...] = (), is_enabled: bool = True) -> FlagValue:
    """A flag that carries a value of one of OpenFeature's types: `given` by default, `other` while it is off."""
    kind, given, other = TYPES[name]
    variants = (FlagVariant("given", given), FlagVariant("other", other))
    return FlagValue(key, kind, "given", "other", variants=variants, rules=rules, is_enabled=is_enabled)


def save_all_types() -> None:
    """Per type a flag that is found, one that is switched off, and one that splits callers in half."""
    for name in TYPES:
        save(plain(name, f"{name}-found"))
        save(plain(name, f"{name}-off", is_enabled=False))
        save(plain(name, f"{name}-split", rules=(Rule("half", "other", share=50_000, salt=f"salt-{name}"),)))
