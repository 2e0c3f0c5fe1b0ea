"""What each rule of a flag says of one call, in words: why it applied, or which of its conditions the call misses."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .bucketing import bucket_of
from .flag_rules import Evaluation, Situation, evaluate
from .flag_words import schedule_words
from .flags import Flag, Rule
from .shares import percent


class Outcome(StrEnum):
    """What became of a rule."""

    DECIDED = "decided"
    PASSED = "passed over"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class RuleAnswer:
    """A rule (from 0), what became of it, and why as a sentence."""

    rule: int
    outcome: Outcome
    words: str


@dataclass(frozen=True)
class Traced:
    """What a flag gives a call, and what each of its rules said."""

    evaluation: Evaluation
    rules: tuple[RuleAnswer, ...]


def trace(flag: Flag, situation: Situation) -> Traced:
    """The evaluation by the code that the runtime runs, with each rule's answer beside it."""
    evaluation = evaluate(flag, situation)
    return Traced(evaluation, tuple(_answers(flag, situation, evaluation)))


def _answers(flag: Flag, situation: Situation, evaluation: Evaluation) -> Iterator[RuleAnswer]:
    is_over = not flag.is_enabled
    for index, rule in enumerate(flag.rules):
        if is_over:
            words = "Not looked at: the flag is switched off." if not flag.is_enabled else "Not reached."
            yield RuleAnswer(index, Outcome.NOT_REACHED, words)
            continue
        missed = list(_missed(rule, situation))
        if missed:
            yield RuleAnswer(index, Outcome.PASSED, _sentence("; ".join(missed)))
        elif not rule.is_split:
            yield RuleAnswer(index, Outcome.DECIDED, "Every condition is met.")
            is_over = True
        elif situation.unit is None:
            # The evaluation ends here as well, with this sentence.
            yield RuleAnswer(index, Outcome.DECIDED, evaluation.words)
            is_over = True
        else:
            is_over = evaluation.rule == index
            yield RuleAnswer(index, Outcome.DECIDED if is_over else Outcome.PASSED, _share_words(rule, situation.unit))


def _missed(rule: Rule, situation: Situation) -> Iterator[str]:
    if rule.callers and situation.caller not in rule.callers:
        yield "the caller is not on its list" if situation.caller else "no caller is known, and it has a list"
    if rule.channels and situation.channel not in rule.channels:
        yield "it is for other numbers" if situation.channel else "no number was called, and it names some"
    if rule.variants and situation.variant not in rule.variants:
        known = f"the caller has the A/B variant “{situation.variant}”" if situation.variant else "there is no A/B test"
        yield f"{known}, and it is for others" if situation.variant else known
    if rule.schedule and not rule.schedule.is_open(situation.local):
        yield f"it was {situation.local:%A %-d %b %Y, %H:%M} there, and it is open {schedule_words(rule.schedule)}"


def _share_words(rule: Rule, unit: str) -> str:
    bucket = bucket_of(rule.salt, unit)
    side = "below" if bucket < rule.share else "not below"
    return f"Bucket {bucket:,} of 100,000 is {side} its share, {rule.share:,} ({percent(rule.share)} %)."


def _sentence(words: str) -> str:
    # Not capitalize(), which makes the rest small: names of A/B variants would be wrong.
    return f"{words[:1].upper()}{words[1:]}."
