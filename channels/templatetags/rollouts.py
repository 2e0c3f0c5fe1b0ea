"""How templates say what a rollout is: its share, its steps, its judging, in a few words."""

from django import template

from channels.core.rollout_judging import Counts, Figures, Guardrail, Rule
from channels.core.rollout_states import Move, State
from channels.core.shares import percent
from channels.models import Rollout

register = template.Library()

COLOURS = {
    Move.START: "azure",
    Move.ADVANCE: "green",
    Move.PROMOTE: "green",
    Move.ROLL_BACK: "red",
    Move.FIND_UNHEALTHY: "red",
    Move.HOLD: "orange",
    Move.PAUSE: "orange",
}
GUARDRAILS = {
    Guardrail.AUTOMATION: "automation rate",
    Guardrail.SENTIMENT: "negative sentiment",
    Guardrail.DURATION: "duration",
    Guardrail.LATENCY: "latency",
    Guardrail.JUDGE_SCORE: "judge score",
}


@register.filter
def share_now(rollout: Rollout) -> str:
    """The share of callers that get the version, in per cent."""
    return percent(rollout.value.share)


@register.filter
def steps_in_words(rollout: Rollout) -> str:
    """`10 → 25 → 50 %`."""
    return " → ".join(percent(step.share) for step in rollout.plan.steps) + " %"


@register.filter
def going(rollout: Rollout) -> str:
    """Where its version goes: `V8 is going to 10 % of callers.`"""
    value = rollout.value
    if value.share:
        return f"{rollout.version} is going to {percent(value.share)} % of callers."
    if value.state == State.SCHEDULED:
        return f"{rollout.version} will go to {percent(value.plan.steps[0].share)} % of callers."
    return f"{rollout.version} goes to nobody."


@register.filter
def move_colour(move: str) -> str:
    """The colour of a move's dot."""
    return COLOURS.get(Move(move), "secondary")


@register.filter
def rule_in_words(rollout: Rollout) -> str:
    """By which rule it is judged."""
    judging = rollout.judging
    if judging.rule == Rule.THRESHOLD:
        return f"Simple rule, from {judging.least_sample:,} canary calls on"
    return "Sequential test" if judging.counts == Counts.FAILURES else "Sequential test on successful calls"


@register.filter
def figures_in_words(rollout: Rollout) -> str:
    """Where its figures come from."""
    return "Prometheus" if rollout.judging.figures == Figures.PROMETHEUS else "Calls of this installation"


@register.filter
def guardrails_in_words(rollout: Rollout) -> str:
    """What else rolls it back."""
    return ", ".join(GUARDRAILS[each] for each in rollout.judging.guardrails)
