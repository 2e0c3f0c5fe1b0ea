"""What answers a channel at this moment, part by part, with who set it and the way back: what ops look for at night."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentversions.models import AgentVersion, Deployment, User
from channels.core.routes import Follow, Target
from channels.models import Channel, DraftServing

from .answered import find_setting, follow


@dataclass(frozen=True)
class Part:
    """One target of the route and what it comes to. `name` and `share` are empty when it answers alone.

    `facts` are the agent, version and digest, and who moved what the target follows (see `answered.follow`).
    """

    target: Target
    facts: dict[str, Any]
    name: str = ""
    share: str = ""
    waits_for_apply: bool = False
    way_back: AgentVersion | None = None


@dataclass(frozen=True)
class AnswersNow:
    """All parts of a channel's route, and who set it when and why."""

    parts: tuple[Part, ...]
    set_at: datetime
    set_by: User | None
    reason: str


def answers_now(channel: Channel) -> AnswersNow:
    """What answers now, also for a channel that is switched off: it is what would."""
    moment = _now()
    newest = Channel.history.filter(id=channel.pk, route_id=channel.route_id).order_by("-history_id").first()
    setting = find_setting(channel, newest)
    plan = channel.route.plan
    names = [(variant.name, variant.percent) for variant in plan.variants] or [("", "")]
    parts = [_part(target, *named, moment) for target, named in zip(plan.targets, names, strict=True)]
    return AnswersNow(
        tuple(parts), setting.history_date, setting.history_user, setting.history_change_reason or ""
    )


def _part(target: Target, name: str, share: str, moment: datetime) -> Part:
    facts = follow(target, moment)
    agent = facts["agent"]
    if target.follow == Follow.LIVE:
        return Part(target, facts, name, share, way_back=_live_before(facts.get("version")))
    waits = target.follow == Follow.DRAFT and DraftServing.objects.filter(agent=agent, applied__isnull=False).exists()
    return Part(target, facts, name, share, waits_for_apply=waits)


def _live_before(version: AgentVersion | None) -> AgentVersion | None:
    """What was live before this version: where one click rolls back to."""
    if version is None:
        return None
    rows = Deployment.objects.filter(agent_id=version.agent_id, version__number__lt=version.number)
    row = rows.select_related("version__agent").order_by("-id").first()
    return row.version if row else None


def _now() -> datetime:
    """The database's clock, which stamped everything that is looked up."""
    return clock()
