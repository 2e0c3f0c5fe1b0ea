"""Who has a flag: what it gives one caller on one number at one moment, rule by rule, and what that comes to."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from agentversions.core.digest import digest_of
from agentversions.core.reading import write_body
from agentversions.models import Configuration
from agentversions.models.database import database_now
from channels.core.flag_explaining import RuleAnswer, trace
from channels.core.flag_overlay import changes_of, overlaid
from channels.core.flag_rules import Evaluation, Situation
from channels.core.flag_words import gives, rule_words
from channels.core.flags import Flag as FlagValue
from channels.core.phone_numbers import Caller, read_caller, region_of, shown
from channels.core.routing import choose, unit_of
from channels.models import Channel
from channels.runtime.facts import Answer

from .explain import load_route
from .flag_callers import hash_of


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
    """What this flag, as it stands now, gives a call (`at` None: now). Nothing is recorded."""
    known = (
        read_caller(caller, region_of(channel.address) if channel else settings.PHONE_REGION)
        if caller
        else Caller(None)
    )
    unit = known.unit or call_id or None
    variant, answer = _answer(channel, unit) if channel else (None, None)
    situation = Situation(
        at=at or database_now(),
        zone=ZoneInfo(channel.time_zone) if channel else UTC,
        unit=unit,
        caller=hash_of(known.unit) if known.unit else None,
        channel=channel.address if channel else "",
        variant=variant,
    )
    traced = trace(flag, situation)
    rules = tuple(
        ExplainedRule(rule_words(rule), gives(flag, rule.gives), said)
        for rule, said in zip(flag.rules, traced.rules, strict=True)
    )
    evaluation = traced.evaluation
    words = gives(flag, evaluation.variant) if evaluation.error is None else evaluation.words
    facts = _facts(situation, known, caller, call_id, channel)
    if is_archived:
        return ExplainedFlag(facts, rules, evaluation, words, "The flag is archived: it acts on nothing.")
    effect, effective = _effect(flag, evaluation, channel, answer)
    return ExplainedFlag(facts, rules, evaluation, words, effect, effective)


def _answer(channel: Channel, unit: str | None) -> tuple[str | None, Answer | None]:
    """The A/B variant of this caller and what answers; nothing where the draw would be by chance."""
    route = load_route(channel.route_id)
    if route.plan.is_test and unit is None:
        return None, None
    decision = choose(route.plan, unit_of(unit, None, "")[0])
    return decision.variant, route.answers[decision.index]


def _facts(
    situation: Situation, known: Caller, caller: str | None, call_id: str | None, channel: Channel | None
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
    return (who, where, *test, f"{local:%A %-d %b %Y, %H:%M} ({zone})")


def _effect(flag: FlagValue, evaluation: Evaluation, channel: Channel | None, answer: Answer | None) -> tuple[str, str]:
    if not flag.type.is_overlay:
        return "The agent's code gets this value.", ""
    if channel is None:
        return "Name a number to see what that does to the version that answers there.", ""
    if answer is None:
        return "An A/B test answers there: name a caller to see which version.", ""
    if flag.agent and answer.agent != flag.agent:
        return f"“{answer.agent}” answers this number, and the flag is for “{flag.agent}”: it does nothing there.", ""
    if answer.digest is None:
        return f"“{answer.agent}” has no live version: the call gets a 404.", ""
    version = f"V{answer.version}" if answer.version is not None else "the draft"
    changes = changes_of((flag,), {flag.key: evaluation})
    if not changes:
        return f"{answer.agent} {version} answers as it is.", ""
    content = Configuration.objects.get(digest=answer.digest).load()
    changed, flags, skipped = overlaid(content, changes)
    if skipped:
        return f"{answer.agent} {version} answers as it is: {skipped[0].words}", ""
    if not flags:
        return f"{answer.agent} {version} is so already: nothing changes.", ""
    return f"{answer.agent} {version} answers with this change.", digest_of(write_body(changed))
