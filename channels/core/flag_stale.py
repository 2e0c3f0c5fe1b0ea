"""When a flag has done its work: it gives everybody the same, acts on what is gone, or was switched off long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .flag_words import acts_on, gives
from .flags import AS_VERSION, ON, Flag, FlagType

SAME_FOR = timedelta(days=30)
OFF_FOR = timedelta(days=90)


@dataclass(frozen=True)
class FlagFacts:
    """What is known around a flag. `since` is when it began to give everybody what it gives now, or was switched off;
    None when it gives different things. `is_there` tells whether a live or newest version has what it acts on."""

    now: datetime
    since: datetime | None = None
    is_there: bool = True
    is_agent_archived: bool = False


def same_for_everybody(flag: Flag) -> str | None:
    """The variant that everybody gets; None when it depends on the call. A share of nothing is given to nobody."""
    given = set()
    for rule in flag.rules:
        if rule.share == 0:
            continue
        given.add(rule.gives)
        is_for_all = not (rule.is_split or rule.callers or rule.channels or rule.variants or rule.schedule)
        if is_for_all:
            break
    else:
        given.add(flag.default)
    return given.pop() if len(given) == 1 else None


def state_of(flag: Flag) -> str | None:
    """What two revisions share when nothing has changed for callers: off, or the variant that everybody gets."""
    return "off" if not flag.is_enabled else (f"on {given}" if (given := same_for_everybody(flag)) else None)


def stale_reasons(flag: Flag, facts: FlagFacts) -> tuple[str, ...]:
    """Why a flag could go, as sentences that say what to do; empty when it is in use."""
    found = []
    if facts.is_agent_archived:
        found.append("Its agent is archived: archive the flag as well.")
    elif not facts.is_there:
        found.append(f"{acts_on(flag)} is in no live or newest version any more: archive the flag.")
    age = facts.now - facts.since if facts.since else timedelta()
    if not flag.is_enabled and age >= OFF_FOR:
        found.append(f"Switched off for {age.days} days: archive it if nobody waits for it.")
    if flag.is_enabled and age >= SAME_FOR and (variant := same_for_everybody(flag)):
        idle = {FlagType.TOOL: ON, FlagType.PATH: AS_VERSION}
        if idle.get(flag.type) == variant:
            found.append(f"Has changed nothing for {age.days} days: archive it, or keep it for the next emergency.")
        else:
            where = "publish a version that has it so" if flag.type.is_overlay else "write it into the agent's code"
            found.append(
                f"The same for everybody for {age.days} days ({gives(flag, variant)}): {where}, then archive it."
            )
    return tuple(found)
