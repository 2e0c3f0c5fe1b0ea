"""What answered a channel at any moment: from the histories of its pointer, of deployments and of drafts."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agentversions.models import Agent, AgentVersion, Deployment, User
from channels.core.flag_rules import Situation
from channels.core.phone_numbers import region_of
from channels.core.rollout_routing import Served, refine
from channels.core.rollout_steps import Assignment
from channels.core.routes import Follow, RoutePlan, Target, read_route
from channels.core.routing import Decision, Unit, choose, unit_of
from channels.core.shares import percent
from channels.models import Channel, DraftServing, Route

from .in_force import RolloutInForce, flags_at, rollout_at
from .overlays import FlagSaid, overlaid_by
from .situations import known_caller, situation_of


@dataclass(frozen=True)
class Followed:
    """What a target comes to. No `digest`: nothing, and `why`. `moved_…` say who moved what the target follows."""

    agent: Agent | None = None
    version: AgentVersion | None = None
    digest: str | None = None
    why: str = ""
    waits_for_apply: bool = False
    moved_at: datetime | None = None
    moved_by: User | None = None
    move_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Answered(Followed):
    """What answered at a moment. No `plan`: the channel was not there yet. No `digest`: nothing answered, and `why`.

    `decision` is None while a test would split and no caller was named. `set_by` and `reason` say who pointed the
    channel at its route, at `set_at`. `rollout` is the one of the agent where the route follows Live, `assignment` this
    caller's arm while it split calls; `situation` is the call as flags see it. `flags` are all in force; they left the
    configuration of `effective`.
    """

    moment: datetime
    is_enabled: bool = False
    plan: RoutePlan | None = None
    route: str | None = None
    decision: Decision | None = None
    unit: Unit | None = None
    set_at: datetime | None = None
    set_by: User | None = None
    reason: str = ""
    rollout: RolloutInForce | None = None
    assignment: Assignment | None = None
    situation: Situation | None = None
    flags: tuple[FlagSaid, ...] = ()
    effective: str | None = None

    @property
    def share(self) -> str:
        """The share of what answered, in per cent."""
        return percent(self.decision.share) if self.decision else ""

    @property
    def overlays(self) -> tuple[FlagSaid, ...]:
        """The flags that changed the configuration."""
        return tuple(each for each in self.flags if each.changed)


def answered_at(
    channel: Channel, moment: datetime, *, caller: str | None = None, call_id: str | None = None
) -> Answered:
    """What answered this caller (or call) on this channel at a moment of the database's clock."""
    state = _newest(Channel.history.filter(id=channel.pk), moment)
    if state is None:
        return Answered(moment=moment, why=f"{channel} was not there yet.")
    body = Route.objects.only("body").get(pk=state.route_id).body
    plan = read_route(body)
    setting = find_setting(channel, state)
    who = known_caller(caller, region_of(channel.address))
    unit, counted = unit_of(who.unit, call_id, "")
    situation = situation_of(who, unit=unit, at=moment, zone=ZoneInfo(state.time_zone), channel=channel.address)
    known = {
        "moment": moment,
        "situation": situation,
        "is_enabled": state.is_enabled,
        "plan": plan,
        "route": state.route_id,
        "set_at": setting.history_date,
        "set_by": setting.history_user,
        "reason": setting.history_change_reason or "",
    }
    if not state.is_enabled:
        return Answered(**known, why=f"{channel} was switched off.")
    if plan.is_test and counted == Unit.CHANCE:
        return Answered(**known, why="A test was running: name a caller to see who answered.")
    decision = choose(plan, unit)
    rollout = rollout_of(decision.target, moment)
    situation = replace(situation, variant=decision.variant)
    known |= {"decision": decision, "unit": counted, "rollout": rollout, "situation": situation}
    if rollout is not None and rollout.value.state.splits_calls and counted == Unit.CHANCE:
        plan_then = rollout.value.plan
        words = (
            f"V{plan_then.version} was given to {percent(rollout.value.share)} % of the callers of {plan_then.agent}"
        )
        return Answered(**known, why=f"{words}: name a caller to see who answered.")
    served = serve(decision, rollout, unit, counted)
    followed = follow(served.target, moment)
    known |= {**vars(followed), "assignment": served.assignment}
    if followed.agent is None or followed.digest is None:
        return Answered(**known)
    said = overlaid_by(flags_at(followed.agent.pk, moment), digest=followed.digest, situation=situation)
    return Answered(**known, flags=said.flags, effective=said.digest)


def rollout_of(target: Target, moment: datetime) -> RolloutInForce | None:
    """The rollout that had a say in a target at a moment: only what follows Live is rolled out."""
    if target.follow != Follow.LIVE:
        return None
    agent = Agent.objects.filter(slug=target.agent).values_list("pk", flat=True).first()
    return rollout_at(agent, moment) if agent is not None else None


def serve(decision: Decision, rollout: RolloutInForce | None, unit: str, counted: Unit) -> Served:
    """The decision of a route after the rollout, by the code that the runtime runs."""
    return refine(decision, {decision.target.agent: rollout.value} if rollout else {}, unit, counted)


def find_setting(channel: Channel, state: Any) -> Any:
    """The history row that set the route of this one, which itself may only have changed the label."""
    before = Channel.history.filter(id=channel.pk, history_id__lt=state.history_id).exclude(route_id=state.route_id)
    last = before.order_by("-history_id").values_list("history_id", flat=True).first() or 0
    rows = Channel.history.filter(id=channel.pk, history_id__gt=last).select_related("history_user")
    return rows.order_by("history_id").first()


def follow(target: Target, moment: datetime) -> Followed:
    """What a target came to at a moment: the configuration, and who had moved the pointer to it."""
    agent = Agent.objects.get(slug=target.agent)
    if target.version is not None:
        version = AgentVersion.objects.select_related("agent").get(agent=agent, number=target.version)
        return Followed(agent, version, version.configuration_id)
    return _live(agent, moment) if target.follow == Follow.LIVE else _draft(agent, moment)


def _live(agent: Agent, moment: datetime) -> Followed:
    rows = Deployment.objects.select_related("version__agent", "created_by")
    newest = rows.filter(agent=agent, created_at__lte=moment).order_by("-id").first()
    if newest is None:
        return Followed(agent, why=f"“{agent.name}” had no live version.")
    return Followed(
        agent,
        newest.version,
        newest.version.configuration_id,
        moved_at=newest.created_at,
        moved_by=newest.created_by,
        move_reason=newest.reason,
    )


def _draft(agent: Agent, moment: datetime) -> Followed:
    """The draft that callers heard: the applied one where edits waited for Apply, else the draft itself."""
    serving = _newest(DraftServing.history.filter(agent_id=agent.pk), moment)
    waits = serving is not None and serving.applied_id is not None
    state = serving if waits else _newest(Agent.history.filter(id=agent.pk), moment)
    return Followed(
        agent,
        digest=state.applied_id if waits else state.draft_id,
        waits_for_apply=waits,
        moved_at=state.history_date,
        moved_by=state.history_user,
        move_reason=state.history_change_reason or "",
    )


def _newest(history: Any, moment: datetime) -> Any:
    return (
        history.filter(history_date__lte=moment)
        .select_related("history_user")
        .order_by("-history_date", "-history_id")
        .first()
    )
