"""What answered many calls: the histories of a batch's channels read once, each call decided in memory.

The same as `channels.services.answered.answered_at` for each call, which asks the database several times for one.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agentversions.models import Agent, AgentVersion, Deployment
from channels.core.phone_numbers import Caller, read_caller, region_of
from channels.core.rollout_steps import Assignment
from channels.core.routes import Follow, RoutePlan, Target, read_route
from channels.core.routing import Unit, choose, unit_of
from channels.models import Channel, DraftServing, Route
from channels.services.answered import serve
from channels.services.in_force import RolloutInForce, moves_of, rollout_of_move


class Timeline:
    """Values, each from its moment on; of several at one moment the last one counts."""

    def __init__(self, entries: Iterable[tuple[datetime, Any]]) -> None:
        self._moments: list[datetime] = []
        self.values: list[Any] = []
        for moment, value in entries:
            self._moments.append(moment)
            self.values.append(value)

    def at(self, moment: datetime) -> Any:
        """The value at a moment; None before the first."""
        found = bisect_right(self._moments, moment)
        return self.values[found - 1] if found else None


@dataclass(frozen=True)
class Answer:
    """Which configuration answered. `version` is None for the draft; `rollout` (its id) and `assignment` are there
    where one split the call."""

    agent: int
    version: int | None
    digest: str
    variant: str
    rollout: int | None = None
    assignment: Assignment | None = None


NOTHING = Timeline(())


class RouteHistory:
    """The histories of some channels and of what they followed, as far as calls ask for them."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self._addresses = {channel.pk: channel.address for channel in channels}
        self._regions = {address: region_of(address) for address in self._addresses.values()}
        rows: dict[str, list[tuple[datetime, Any]]] = {}
        history = Channel.history.filter(id__in=self._addresses).order_by("history_date", "history_id")
        for key, moment, is_enabled, route in history.values_list("id", "history_date", "is_enabled", "route_id"):
            rows.setdefault(self._addresses[key], []).append((moment, route if is_enabled else None))
        self._channels = {address: Timeline(entries) for address, entries in rows.items()}
        routes = {route for entries in rows.values() for _, route in entries if route is not None}
        bodies = Route.objects.filter(digest__in=routes).values_list("digest", "body")
        self._plans: dict[str, RoutePlan] = {digest: read_route(body) for digest, body in bodies}
        targets = {target for plan in self._plans.values() for target in plan.targets}
        found = Agent.objects.filter(slug__in={target.agent for target in targets}).values_list("slug", "pk")
        self._agents: dict[str, int] = dict(found)
        self._rollouts = self._read_rollouts(targets)
        self._versions = self._read_versions(targets)
        self._live = self._read_live(targets)
        self._drafts = self._read_drafts(targets)

    def answer(self, address: str, moment: datetime, *, caller: str | None, call_id: str) -> Answer | None:
        """What answered this caller on a channel at a moment; None where nothing did."""
        route = self._channels.get(address, NOTHING).at(moment)
        if route is None:
            return None
        plan = self._plans[route]
        known = read_caller(caller, self._regions[address]) if caller else Caller(None)
        unit, counted = unit_of(known.unit, call_id, "")
        if plan.is_test and counted == Unit.CHANCE:
            return None
        decision = choose(plan, unit)
        target, rollout = decision.target, None
        if target.follow == Follow.LIVE:
            rollout = self._rollouts.get(self._agents[target.agent], NOTHING).at(moment)
        if rollout is not None and rollout.value.state.splits_calls and counted == Unit.CHANCE:
            return None
        served = serve(decision, rollout, unit, counted)
        found = self._follow(served.target, moment, decision.variant or "")
        if found is None or rollout is None or served.assignment is None:
            return found
        return replace(found, rollout=rollout.id, assignment=served.assignment)

    def _follow(self, target: Target, moment: datetime, variant: str) -> Answer | None:
        agent = self._agents[target.agent]
        if target.version is not None:
            return Answer(agent, target.version, self._versions[agent, target.version], variant)
        if target.follow == Follow.LIVE:
            live = self._live.get(agent, NOTHING).at(moment)
            return Answer(agent, live[0], live[1], variant) if live else None
        digest = self._drafts[agent][0].at(moment) or self._drafts[agent][1].at(moment)
        return Answer(agent, None, digest, variant) if digest else None

    def _read_rollouts(self, targets: Iterable[Target]) -> dict[int, Timeline]:
        """The rollout that was on (None: none), by agent."""
        found: dict[int, list[tuple[datetime, RolloutInForce | None]]] = {}
        agents = self._following(targets, Follow.LIVE)
        for move in moves_of(agents) if agents else ():
            found.setdefault(move.rollout.agent_id, []).append((move.at, rollout_of_move(move)))
        return {agent: Timeline(entries) for agent, entries in found.items()}

    def _read_versions(self, targets: Iterable[Target]) -> dict[tuple[int, int], str]:
        wanted = {target.version for target in targets if target.version is not None}
        wanted |= {each.value.plan.version for timeline in self._rollouts.values() for each in timeline.values if each}
        rows = AgentVersion.objects.filter(agent_id__in=self._agents.values(), number__in=wanted)
        return {
            (agent, number): digest for agent, number, digest in rows.values_list("agent", "number", "configuration_id")
        }

    def _read_live(self, targets: Iterable[Target]) -> dict[int, Timeline]:
        """Version and digest that were live, by agent. Of the deployments up to a moment the greatest id counts."""
        agents = self._following(targets, Follow.LIVE)
        rows = Deployment.objects.filter(agent_id__in=agents).order_by("created_at", "id")
        newest: dict[int, int] = {}
        found: dict[int, list[tuple[datetime, Any]]] = {}
        names = ("agent_id", "id", "created_at", "version__number", "version__configuration_id")
        for agent, key, moment, number, digest in rows.values_list(*names):
            if key > newest.get(agent, 0):
                newest[agent] = key
                found.setdefault(agent, []).append((moment, (number, digest)))
        return {agent: Timeline(entries) for agent, entries in found.items()}

    def _read_drafts(self, targets: Iterable[Target]) -> dict[int, tuple[Timeline, Timeline]]:
        """By agent: the draft that was applied (None: every edit answers at once), and the draft."""
        agents = self._following(targets, Follow.DRAFT)
        applied = DraftServing.history.filter(agent_id__in=agents).values_list("agent_id", "history_date", "applied_id")
        drafts = Agent.history.filter(id__in=agents).values_list("id", "history_date", "draft_id")
        found: dict[int, tuple[list[Any], list[Any]]] = {agent: ([], []) for agent in agents}
        for index, rows in enumerate((applied, drafts)):
            for agent, moment, digest in rows.order_by("history_date", "history_id"):
                found[agent][index].append((moment, digest))
        return {agent: (Timeline(one), Timeline(other)) for agent, (one, other) in found.items()}

    def _following(self, targets: Iterable[Target], follow: Follow) -> set[int]:
        return {self._agents[target.agent] for target in targets if target.follow == follow}
