"""Flags of a clinic, for tests, through the services that users reach."""

from dataclasses import replace
from typing import Any

from agentversions.models import User
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType, FlagVariant, Rule
from channels.models import Flag, FlagRevision
from channels.services.flag_callers import hash_of
from channels.services.flags import create_flag, newest_revision, save_flag

ME, YOU = "+33612345678", "+33687654321"
SWITCH = FlagValue("no-transfer", FlagType.TOOL, "on", "on", agent="clinic", subject="transfer_to_human")
SOUND = FlagValue(
    "sound", FlagType.PATH, "version", "version", agent="clinic", subject="background_sound.enabled",
    variants=(FlagVariant("office", True),),
)  # fmt: skip
GREETING = FlagValue(
    "greeting", FlagType.STRING, "plain", "plain", variants=(FlagVariant("plain", "Hello"), FlagVariant("warm", "Hi!"))
)


def off_for(*callers: str, name: str = "") -> Rule:
    """A rule that switches the tool off for these callers."""
    return Rule(name, "off", callers=frozenset(map(hash_of, callers)))


def make_flag(value: FlagValue = SWITCH, *, actor: User, callers: tuple[str, ...] = (), **changes: Any) -> Flag:
    """A flag with these changes; `callers` are those of its rules in clear."""
    return create_flag(value=replace(value, **changes), callers=callers, actor=actor).flag


def change(flag: Flag, *, actor: User, callers: tuple[str, ...] = (), **changes: Any) -> FlagRevision:
    """The flag saved again with these changes."""
    value = replace(newest_revision(flag).value, **changes)
    return save_flag(flag=flag, value=value, callers=callers, actor=actor)
