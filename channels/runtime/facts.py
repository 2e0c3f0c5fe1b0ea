"""What a worker keeps in memory, as values: a channel, a compiled route, a token."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.core.phone_numbers import region_of
from channels.core.rollout_routing import Served, refine, unrefined
from channels.core.rollout_states import State
from channels.core.rollout_steps import Arm, Rollout, read_plan
from channels.core.routes import Follow, RoutePlan, read_route
from channels.core.routing import Decision, Reason, Unit, choose
from channels.core.shares import percent

# What an entry costs beside its texts: the object, its dictionary entry, its key.
_BASE_SIZE = 400


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A channel: its address (E.164 or a chat key), whether it is on, the digest of its route, and its time zone."""

    address: str
    is_enabled: bool
    route: str
    time_zone: str

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return _BASE_SIZE

    @property
    def region(self) -> str | None:
        """Where the number belongs (`FR`): national forms of callers are read there."""
        return region_of(self.address)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one target comes to at this moment. No `digest`: the agent has no live version."""

    agent: str
    version: int | None
    version_name: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """The rollout that splits the callers of an agent's live version, and what its canary comes to."""

    number: int
    value: Rollout
    canary: Answer


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route with every target followed to its configuration, and the rollouts of its agents (by slug): one snapshot.

    `states` are the rollouts as `refine` takes them; `pieces` ready JSON members per target and arm (None: no rollout
    had a say). `decision` and `served` are ready where every call gets the same.
    """

    digest: str
    plan: RoutePlan
    answers: tuple[Answer, ...]
    rollouts: Mapping[str, RolloutFacts]
    states: Mapping[str, Rollout]
    pieces: tuple[Mapping[Arm | None, bytes], ...] = field(repr=False)
    size: int
    decision: Decision | None
    served: Served | None

    def serve(self, unit: str, counted: Unit) -> tuple[Served, Answer]:
        """What answers a unit (see `unit_of`) and why: the route's decision, then the rollout of its agent."""
        decision = self.decision or choose(self.plan, unit)
        served = refine(decision, self.states, unit, counted) if self.rollouts else self.served or unrefined(decision)
        if served.is_canary:
            return served, self.rollouts[decision.target.agent].canary
        return served, self.answers[decision.index]

    @property
    def agents(self) -> tuple[str, ...]:
        """The slugs whose moves change this value."""
        return self.plan.agents


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token: usable at all (not revoked, its owner active), what for, and until when (seconds since 1970)."""

    is_usable: bool
    scopes: tuple[str, ...]
    expires_at: float | None

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return _BASE_SIZE

    def is_valid(self, now: float) -> bool:
        """Whether the token opens anything at this moment."""
        return self.is_usable and (self.expires_at is None or now < self.expires_at)

    def may_resolve(self, now: float) -> bool:
        """Whether the token opens /resolve at this moment."""
        return self.is_valid(now) and "resolve" in self.scopes


def compile_route(digest: str, body: str, targets: Sequence[Sequence[Any]]) -> RouteFacts:
    """A route from its row: the plan's JSON, and per target agent, version, version name, configuration digest, and
    the rollout that splits it, if one does (id, plan's JSON, state, step; the canary's version, name and digest)."""
    plan = read_route(body)
    answers = tuple(Answer(*target[:4]) for target in targets)
    if len(answers) != len(plan.targets):
        raise ValueError(f"Route {digest} has {len(answers)} targets, its plan {len(plan.targets)}.")
    found = {target[0]: _rollout(target[0], target[4]) for target in targets if target[4]}
    rollouts = {slug: each for slug, each in found.items() if each.value.state.splits_calls}
    pieces = tuple(_pieces(plan, index, answer, rollouts) for index, answer in enumerate(answers))
    size = _BASE_SIZE * (2 + 3 * len(rollouts)) + 3 * len(body)
    size += sum(len(piece) for each in pieces for piece in each.values())
    states = {slug: each.value for slug, each in rollouts.items()}
    decision = None if plan.is_test else choose(plan, "")
    served = unrefined(decision) if decision and not rollouts else None
    return RouteFacts(digest, plan, answers, rollouts, states, pieces, size, decision, served)


def _rollout(agent: str, row: Sequence[Any]) -> RolloutFacts:
    number, plan, state, step, version, name, configuration = row
    value = Rollout(read_plan(plan), State(state), step)
    return RolloutFacts(number, value, Answer(agent, version, name, configuration))


def _pieces(
    plan: RoutePlan, index: int, answer: Answer, rollouts: Mapping[str, RolloutFacts]
) -> dict[Arm | None, bytes]:
    """The members of the answers that this target may come to, by arm."""
    pieces: dict[Arm | None, bytes] = {None: _piece(plan, index, answer)}
    rollout = rollouts.get(answer.agent) if plan.targets[index].follow == Follow.LIVE else None
    if rollout:
        pieces[Arm.STABLE] = _piece(plan, index, answer, Arm.STABLE, rollout)
        pieces[Arm.CANARY] = _piece(plan, index, rollout.canary, Arm.CANARY, rollout)
    return pieces


def _piece(
    plan: RoutePlan, index: int, answer: Answer, arm: Arm | None = None, rollout: RolloutFacts | None = None
) -> bytes:
    """The members of an answer that depend on the target and the arm alone, without braces."""
    variant = plan.variants[index] if plan.is_test else None
    members = {
        "agent": answer.agent,
        "version": answer.version,
        "version_name": answer.version_name,
        "digest": answer.digest,
        "variant": variant.name if variant else None,
        "reason": Reason.SPLIT if variant or rollout else Reason.STATIC,
        "share": float(percent(variant.share)) if variant else 100.0,
        "rollout": {"arm": arm, "share": float(percent(rollout.value.share))} if rollout else None,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()
