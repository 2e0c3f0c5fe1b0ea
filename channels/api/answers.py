"""Builds the API's answers from what the services give."""

from collections.abc import Iterable

from django.urls import reverse

from agentversions.core.paths import MISSING
from channels.core.rollout_steps import Assignment
from channels.core.routes import RoutePlan, Target
from channels.core.shares import percent
from channels.models import Channel
from channels.services.answered import Answered
from channels.services.explain import Explanation
from channels.services.in_force import RolloutInForce
from channels.services.overlays import FlagSaid

from .schemas import (
    AnsweredAnswer,
    ChannelAnswer,
    ExplainedAnswer,
    FlagThen,
    RolloutThen,
    RouteAnswer,
    VariantAnswer,
)


def channel_answer(channel: Channel) -> ChannelAnswer:
    """A channel with its route."""
    return ChannelAnswer(
        address=channel.address,
        kind=channel.kind,
        label=channel.label,
        time_zone=channel.time_zone,
        is_enabled=channel.is_enabled,
        route=route_answer(channel.route_id, channel.route.plan),
        route_changed_at=channel.route_changed_at,
        route_changed_by=channel.route_changed_by.username,
    )


def route_answer(digest: str, plan: RoutePlan) -> RouteAnswer:
    """A route in the words of the API."""
    variants = [
        VariantAnswer(name=each.name, agent=each.target.agent, answers=word_of(each.target), share=each.percent)
        for each in plan.variants
    ]
    return RouteAnswer(
        digest=digest,
        agent=plan.target.agent if plan.target else None,
        answers=word_of(plan.target) if plan.target else None,
        variants=variants,
    )


def word_of(target: Target) -> str:
    """`draft`, `live` or `V3`."""
    return f"V{target.version}" if target.version is not None else str(target.follow)


def answered_answer(said: Answered) -> AnsweredAnswer:
    """What answered at a moment."""
    return AnsweredAnswer(
        at=said.moment,
        route=route_answer(said.route, said.plan) if said.route and said.plan else None,
        set_at=said.set_at,
        set_by=said.set_by.username if said.set_by else None,
        reason=said.reason,
        is_enabled=said.is_enabled,
        agent=said.agent.slug if said.agent else None,
        version=said.version.number if said.version else None,
        digest=said.digest,
        configuration=reverse("api:configuration", args=[said.digest]) if said.digest else None,
        variant=said.decision.variant if said.decision else None,
        share=said.share or None,
        bucket=said.decision.bucket if said.decision else None,
        unit=said.unit,
        moved_at=said.moved_at,
        moved_by=said.moved_by.username if said.moved_by else None,
        move_reason=said.move_reason,
        why=said.why,
        rollout=rollout_then(said.rollout, said.assignment),
        flags=flags_then(said.flags),
        effective_digest=said.effective,
    )


def explained_answer(said: Explanation) -> ExplainedAnswer:
    """What a caller would get."""
    return ExplainedAnswer(
        steps=list(said.steps),
        agent=said.answer.agent if said.answer else None,
        version=said.answer.version if said.answer else None,
        digest=said.answer.digest if said.answer else None,
        variant=said.decision.variant if said.decision else None,
        bucket=said.decision.bucket if said.decision else None,
        rollout=rollout_then(said.rollout, said.served.assignment if said.served else None),
        flags=flags_then(said.flags),
        effective_digest=said.effective,
    )


def rollout_then(rollout: RolloutInForce | None, assignment: Assignment | None) -> RolloutThen | None:
    """A rollout as it stood, with a caller's arm."""
    if rollout is None:
        return None
    value = rollout.value
    return RolloutThen(
        id=rollout.id,
        version=value.plan.version,
        state=str(value.state),
        step=value.step + 1,
        share=percent(value.share),
        salt=value.plan.salt,
        since=rollout.moved_at,
        arm=assignment.arm.value if assignment else None,
        bucket=assignment.bucket if assignment else None,
    )


def flags_then(flags: Iterable[FlagSaid]) -> list[FlagThen]:
    """Flags with what they gave a call."""
    return [
        FlagThen(
            key=each.flag.key,
            revision=each.in_force.revision,
            variant=each.evaluation.variant,
            value=None if each.evaluation.value is MISSING else each.evaluation.value,
            reason=str(each.evaluation.reason),
            changed=each.changed,
            words=each.words,
        )
        for each in flags
    ]
