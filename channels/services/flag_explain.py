"""Who has a flag: what it gives one caller on one number at one moment, rule by rule, and what that comes to."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from agentversions.models.database import database_now
from channels.core.flag_explaining import RuleAnswer, trace
from channels.core.flag_overlay import changes_of
from channels.core.flag_rules import Evaluation, Situation
from channels.core.flag_sets import FlagInForce
from channels.core.flag_words import gives, rule_words
from channels.core.flags import Flag as FlagValue
from channels.core.phone_numbers import Caller, region_of, shown
from channels.core.routing import unit_of
from channels.models import Channel

from .answered import Answered, answered_at
from .overlays import overlaid_by
from .situations import known_caller, situation_of


@dataclass(frozen=True)
class ExplainedRule:
    """One rule: what it asks for, what it gives, and what it said of this call."""

    asks: str
    gives: str
    answer: RuleAnswer


@dataclass(frozen=True)
class ExplainedFlag:
    """The call as the flag sees it, each rule's answer, what the flag gives, and what it changes, in words.

    `effective` is the digest of the configuration that answers with this flag alone; empty where it changes nothing.
    """

    facts: tuple[str, ...]
    rules: tuple[ExplainedRule, ...]
    evaluation: Evaluation
    gives: str
    effect: str
    effective: str = ""


def explain_flag(
    flag: FlagValue,
    *,
    channel: Channel | None = None,
    caller: str | None = None,
    call_id: str | None = None,
    at: datetime | None = None,
    is_archived: bool = False,
) -> ExplainedFlag:
    """What this flag, as it stands now, gives a call, on what answers or answered the number then (`at` None: now).

    Nothing is recorded.
    """
    moment = at or database_now()
    answered = answered_at(channel, moment, caller=caller, call_id=call_id) if channel else None
    known = known_caller(caller, region_of(channel.address) if channel else settings.PHONE_REGION)
    situation = answered.situation if answered else None
    if situation is None:
        zone = ZoneInfo(channel.time_zone) if channel else UTC
        unit = unit_of(known.unit, call_id, "")[0]
        situation = situation_of(known, unit=unit, at=moment, zone=zone, channel=channel.address if channel else "")
    traced = trace(flag, situation)
    rules = tuple(
        ExplainedRule(rule_words(rule), gives(flag, rule.gives), said)
        for rule, said in zip(flag.rules, traced.rules, strict=True)
    )
    evaluation = traced.evaluation
    words = gives(flag, evaluation.variant) if evaluation.error is None else evaluation.words
    facts = _facts(situation, known, caller, call_id, channel, _arm(answered))
    if is_archived:
        return ExplainedFlag(facts, rules, evaluation, words, "The flag is archived: it acts on nothing.")
    effect, effective = _effect(flag, answered, situation)
    return ExplainedFlag(facts, rules, evaluation, words, effect, effective)


def _facts(
    situation: Situation,
    known: Caller,
    caller: str | None,
    call_id: str | None,
    channel: Channel | None,
    arm: list[str],
) -> tuple[str, ...]:
    if known.unit:
        who = f"Caller {shown(known.unit)}"
    else:
        who = "The caller's number is withheld" if caller else "No caller is named"
        who += f": the call {call_id} is counted" if call_id else ""
    local = situation.local
    where = f"Number {channel}" if channel else "No number is named"
    zone = channel.time_zone if channel else "UTC, for want of a number"
    test = [f"A/B variant “{situation.variant}”"] if situation.variant else []
    return (who, where, *test, *arm, f"{local:%A %-d %b %Y, %H:%M} ({zone})")


def _arm(answered: Answered | None) -> list[str]:
    if answered is None or answered.rollout is None or answered.assignment is None:
        return []
    return [f"Rollout of V{answered.rollout.value.plan.version}: the {answered.assignment.arm} arm"]


def _effect(flag: FlagValue, answered: Answered | None, situation: Situation) -> tuple[str, str]:
    """What it does to the version that answers, in words, and the digest that it leaves there."""
    if not flag.type.is_overlay:
        return "The agent's code gets this value.", ""
    if answered is None:
        return "Name a number to see what that does to the version that answers there.", ""
    if answered.agent is None:
        return answered.why, ""
    agent = answered.agent
    if flag.agent and agent.slug != flag.agent:
        return f"“{agent.slug}” answers this number, and the flag is for “{flag.agent}”: it does nothing there.", ""
    if answered.digest is None:
        return answered.why, ""
    overlaid = overlaid_by([FlagInForce(flag, 0)], digest=answered.digest, situation=situation)
    said = overlaid.flags[0]
    named = f"{agent.slug} {answered.version or 'the draft'}"
    if said.skipped:
        return f"{named} answers as it is: {said.skipped}", ""
    if said.changed:
        return f"{named} answers with this change.", overlaid.digest
    if changes_of((flag,), {flag.key: said.evaluation}):
        return f"{named} is so already: nothing changes.", ""
    return f"{named} answers as it is.", ""
