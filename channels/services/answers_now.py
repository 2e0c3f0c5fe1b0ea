"""What answers a channel at this moment, part by part, with who set it and the way back: what ops look for at night."""

from dataclasses import dataclass
from datetime import datetime

from agentversions.models import AgentVersion, Deployment, User
from agentversions.models.database import ClockTimestamp
from channels.core.routes import Follow, Target
from channels.models import Channel

from .answered import Followed, find_setting, follow


@dataclass(frozen=True)
class Part:
    """One target of the route and what it comes to. `name` and `share` are empty when it answers alone."""

    target: Target
    followed: Followed
    name: str
    share: str
    way_back: AgentVersion | None


@dataclass(frozen=True)
class AnswersNow:
    """All parts of a channel's route, and who set it when and why."""

    parts: tuple[Part, ...]
    set_at: datetime
    set_by: User | None
    reason: str


def answers_now(channel: Channel) -> AnswersNow:
    """What answers now, also for a channel that is switched off: it is what would."""
    # The database's clock stamped everything that is looked up; this machine's may be minutes off.
    moment = Channel.objects.filter(pk=channel.pk).values_list(ClockTimestamp(), flat=True).get()
    newest = Channel.history.filter(id=channel.pk, route_id=channel.route_id).order_by("-history_id").first()
    setting = find_setting(channel, newest)
    plan = channel.route.plan
    names = [(variant.name, variant.percent) for variant in plan.variants] or [("", "")]
    parts = [_part(target, *named, moment) for target, named in zip(plan.targets, names, strict=True)]
    return AnswersNow(tuple(parts), setting.history_date, setting.history_user, setting.history_change_reason or "")


def _part(target: Target, name: str, share: str, moment: datetime) -> Part:
    followed = follow(target, moment)
    live = followed.version if target.follow == Follow.LIVE else None
    return Part(target, followed, name, share, _live_before(live) if live else None)


def _live_before(version: AgentVersion) -> AgentVersion | None:
    """What was live before this version: where one click rolls back to."""
    rows = Deployment.objects.filter(version__agent=version.agent, version__number__lt=version.number)
    row = rows.select_related("version__agent").order_by("-id").first()
    return row.version if row else None
