"""How rollouts sit on routes: what a route answers with Live is split once more, everything else stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from .rollout_steps import Arm, Assignment, Rollout, arm_of
from .routes import Follow, Target
from .routing import Decision, Reason, Unit


@dataclass(frozen=True)
class Served:
    """What answers one caller after the rollout of the agent, and why. `route` is the decision of the route itself;
    `assignment` is None where no rollout had a say: a draft, a pin, an agent without one."""

    target: Target
    reason: Reason
    route: Decision
    assignment: Assignment | None = None

    @property
    def is_canary(self) -> bool:
        """Whether the version that is rolled out answers."""
        return self.assignment is not None and self.assignment.arm == Arm.CANARY


def unrefined(decision: Decision) -> Served:
    """The decision of a route where no rollout has a say."""
    return Served(decision.target, decision.reason, decision)


def refine(decision: Decision, rollouts: Mapping[str, Rollout], unit: str, counted: Unit) -> Served:
    """The decision of a route with the rollouts of all agents (by slug, one each) taken into account.

    The canary's callers get its version; the others get what follows Live, as ever. Unit and what it counts are those
    of the call (`unit_of`), also where the route itself splits nothing.
    """
    target = decision.target
    rollout = rollouts.get(target.agent) if target.follow == Follow.LIVE else None
    if rollout is None or not rollout.share:
        return unrefined(decision)
    assignment = arm_of(rollout, unit, counted)
    if assignment.arm == Arm.CANARY:
        target = Target(target.agent, Follow.VERSION, rollout.plan.version)
    return Served(target, Reason.SPLIT, decision, assignment)
