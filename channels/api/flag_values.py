"""Reads flags as the API sends them, and says them as it gives them."""

from dataclasses import dataclass, field

from django.conf import settings

from agentversions.core.reading import FieldError
from agentversions.models import User
from channels.core.caller_lists import read_callers
from channels.core.flag_typing import read_clock
from channels.core.flag_words import clock, rule_words
from channels.core.flags import WHOLE_DAY, FlagType, FlagVariant, Rule, Schedule
from channels.core.flags import Flag as FlagValue
from channels.core.phone_numbers import NotANumber, read_number
from channels.core.shares import NotAShare, percent, read_percent
from channels.models import FlagRevision
from channels.services.channels import CHAT_KEY
from channels.services.errors import FlagRefused
from channels.services.flag_callers import callers_in_clear, masked_callers
from channels.services.flag_checking import warnings_of
from channels.services.flag_list import ListedFlag, with_marks
from channels.services.flag_writing import WantedRule, write_rules

from .schemas_flags import FlagAnswer, FlagBody, FlagRuleAnswer, FlagRuleBody, FlagScheduleBody, FlagVariantBody


@dataclass(frozen=True)
class WrittenFlag:
    """A flag as it was sent, and the callers that it names in clear."""

    value: FlagValue
    callers: tuple[str, ...] = field(repr=False)


def flag_value(
    body: FlagBody, before: FlagValue | None, *, key: str, kind: str, agent: str, may_listen: bool
) -> WrittenFlag:
    """What was sent as a flag; its rules go on from those of `before`. Raises FlagRefused with every mistake."""
    errors: list[FieldError] = []
    wanted = [_wanted(rule, index, errors) for index, rule in enumerate(body.rules)]
    if errors:
        raise FlagRefused(errors)
    written = write_rules(wanted, before, may_listen=may_listen)
    value = FlagValue(
        key=key,
        type=FlagType(kind),
        agent=agent,
        subject=body.subject,
        variants=tuple(FlagVariant(each.name, each.value) for each in body.variants),
        default=body.default,
        when_disabled=body.when_disabled,
        rules=written.rules,
    )
    return WrittenFlag(value, written.callers)


def _wanted(rule: FlagRuleBody, index: int, errors: list[FieldError]) -> WantedRule:
    place = f"rules.{index}"
    channels = set()
    for text in rule.channels:
        try:
            channels.add(text if CHAT_KEY.fullmatch(text) else read_number(text, settings.PHONE_REGION))
        except NotANumber as error:
            errors.append(FieldError(f"{place}.channels", str(error)))
    try:
        share = read_percent(rule.share)
    except NotAShare as error:
        errors.append(FieldError(f"{place}.share", str(error)))
        share = 0
    return WantedRule(
        name=" ".join(rule.name.split()),
        gives=rule.gives,
        place=rule.place,
        callers=None if rule.callers is None else _callers(rule, rule.callers, f"{place}.callers", errors),
        added=_callers(rule, rule.add_callers, f"{place}.add_callers", errors),
        channels=frozenset(channels),
        variants=frozenset(rule.variants),
        schedule=_schedule(rule.schedule),
        share=share,
    )


def _callers(rule: FlagRuleBody, typed: list[str], place: str, errors: list[FieldError]) -> tuple[str, ...]:
    # A line each, so that what is wrong is named by its place in the list (from 1).
    text = "\n".join(" ".join(each.split()) for each in typed)
    listed = read_callers(text, settings.PHONE_REGION, are_numbers=not rule.callers_are_ids)
    errors += [FieldError(f"{place}.{bad.line - 1}", str(bad)) for bad in listed.bad]
    return listed.callers


def _schedule(sent: FlagScheduleBody | None) -> Schedule | None:
    if sent is None:
        return None
    return Schedule(
        tuple(sorted(sent.days)), read_clock(sent.start, 0), read_clock(sent.stop, WHOLE_DAY), sent.first, sent.last
    )


def flag_answer(revision: FlagRevision, reader: User | None, *, is_alone: bool = False) -> FlagAnswer:
    """A flag as it stands in a revision; callers in clear for `reader`, who is in the audit trail then.

    What it does to others and whether it could go are looked up for one flag `is_alone`, not for each of a list.
    """
    value = revision.value
    return FlagAnswer(
        key=value.key,
        type=value.type.value,
        agent=value.agent,
        subject=value.subject,
        description=revision.description,
        is_enabled=value.is_enabled,
        is_archived=revision.is_archived,
        variants=[FlagVariantBody(name=each.name, value=each.value) for each in value.variants],
        default=value.default,
        when_disabled=value.when_disabled,
        rules=[_rule(index, rule, value.key, reader) for index, rule in enumerate(value.rules)],
        revision=revision.number,
        saved_at=revision.created_at,
        saved_by=revision.created_by.username,
        reason=revision.reason,
        stale=list(with_marks([ListedFlag(revision)])[0].stale),
        warnings=list(warnings_of(value)) if is_alone and not revision.is_archived else [],
    )


def _rule(index: int, rule: Rule, key: str, reader: User | None) -> FlagRuleAnswer:
    in_clear = callers_in_clear(rule.callers, key=key, actor=reader).callers if reader else None
    schedule = rule.schedule
    return FlagRuleAnswer(
        place=index,
        name=rule.name,
        gives=rule.gives,
        callers=None if in_clear is None else list(in_clear),
        caller_count=len(rule.callers),
        callers_shown=list(masked_callers(rule.callers)) if rule.callers else [],
        channels=sorted(rule.channels),
        variants=sorted(rule.variants),
        schedule=FlagScheduleBody(
            days=list(schedule.days),
            start=clock(schedule.start),
            stop=clock(schedule.stop),
            first=schedule.first,
            last=schedule.last,
        )
        if schedule
        else None,
        share=percent(rule.share),
        words=rule_words(rule),
    )
