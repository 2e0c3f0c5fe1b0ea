"""Rollouts: starting one, and the only way in which one moves. Each move is a row, an audit entry and a message."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from agentversions.core.reading import FieldError
from agentversions.models import Agent, AgentVersion, Deployment, User
from agentversions.models.database import database_now
from agentversions.services.audit import record
from agentversions.services.deployments import live_version
from agentversions.services.draft_pointer import lock_agent, refuse_archived
from agentversions.services.errors import ReasonMissing
from agentversions.services.freezes import refuse_frozen
from agentversions.services.readiness import require_ready
from channels.core import rollout_states
from channels.core.rollout_judging import Judging, errors_in_judging, write_judging
from channels.core.rollout_states import By, Move, MoveRefused
from channels.core.rollout_steps import MAX_DURATION, RolloutPlan, Step, errors_in, moved, write_plan
from channels.core.rollout_words import PAST
from channels.models import Rollout, RolloutMove
from channels.models.rollouts import OVER
from config.background import defer

from .errors import RolloutMoved, RolloutMoveRefused, RolloutOpen, RolloutRefused
from .rollout_channels import let_follow_live
from .rollout_gates import promote, refuse_frozen_move
from .rollout_notices import defer_notices
from .routes import new_salt

FURTHEST = timedelta(days=365)
START_TASK = "channels.start_planned_rollout"
EXPLAINED = frozenset({Move.ROLL_BACK, Move.PROMOTE, Move.CANCEL})
"""What a person does with a reason only: it ends the rollout, and somebody will ask why."""


def open_rollout(agent: Agent) -> Rollout | None:
    """The agent's rollout that is not over, None without one."""
    found: Rollout | None = (
        Rollout.objects.exclude(state__in=OVER)
        .select_related("agent", "version", "baseline", "created_by")
        .filter(agent=agent)
        .first()
    )
    return found


@transaction.atomic
def start_rollout(
    *,
    agent: Agent,
    version: int,
    steps: Sequence[Step],
    max_duration_s: int = MAX_DURATION,
    judging: Judging | None = None,
    starts_at: datetime | None = None,
    follow_live: Sequence[str] = (),
    reason: str = "",
    override_reason: str = "",
    actor: User,
) -> Rollout:
    """Give a version (by its number; 0 is the draft) to the first step's share of callers, now or from a moment on.

    `follow_live` are channels (addresses) on this agent's draft or on a pin of it that are switched to Live first.
    `override_reason` passes over what the version lacks, if the actor may. Raises RolloutRefused with each problem at
    its field, RolloutOpen, AgentArchived, RoutesFrozen, RouteRefused, NotReady, NotAllowed.
    """
    locked = lock_agent(agent)
    refuse_archived(locked)
    current = open_rollout(locked)
    if current is not None:
        raise RolloutOpen(current)
    live = live_version(locked)
    found = locked.versions.filter(number=version).first() if version > 0 else None
    plan = RolloutPlan(
        locked.slug, version, live.number if live else 0, new_salt(), tuple(steps), max_duration_s=max_duration_s
    )
    judging = judging or Judging()
    _check(plan, judging, found, starts_at)
    assert found is not None
    assert live is not None
    reason = reason.strip()
    refuse_frozen(reason=reason, at=starts_at, actor=actor)
    require_ready(found, override_reason=override_reason, actor=actor)
    let_follow_live(agent=locked, addresses=follow_live, version=found, reason=reason, actor=actor)
    rollout = Rollout.objects.create(
        agent=locked,
        version=found,
        baseline=live,
        plan_body=write_plan(plan),
        judging_body=write_judging(judging),
        starts_at=starts_at,
        reason=reason,
        created_by=actor,
    )
    if starts_at is None:
        move_rollout(rollout=rollout, move=Move.START, by=By.PERSON, reason=reason, actor=actor)
    else:
        defer(START_TASK, at=starts_at, rollout=rollout.pk)
        _record("rollout planned", rollout, reason, {"starts_at": starts_at.isoformat()}, actor)
    rollout.refresh_from_db()
    return rollout


def _check(plan: RolloutPlan, judging: Judging, found: AgentVersion | None, starts_at: datetime | None) -> None:
    problems = [*errors_in(plan), *errors_in_judging(judging)]
    if found is None and plan.version > 0:
        problems.insert(0, FieldError("version", f"There is no V{plan.version} of this agent. Choose one of its own."))
    if starts_at is not None:
        now = database_now()
        if starts_at <= now:
            words = "That moment has passed. Choose a later one, or start the rollout now."
            problems.append(FieldError("starts_at", words))
        elif starts_at > now + FURTHEST:
            problems.append(FieldError("starts_at", "That is more than a year ahead. Choose an earlier moment."))
    if problems:
        raise RolloutRefused(tuple(problems))


@transaction.atomic
def move_rollout(
    *,
    rollout: Rollout,
    move: Move,
    by: By,
    reason: str = "",
    evaluation: int | None = None,
    seen_moves: int | None = None,
    actor: User | None,
) -> RolloutMove:
    """Move a rollout; `actor` is None for the judge and the clock. `seen_moves` is the key of the newest move that was
    looked at, 0 before the first (None: whatever was done since).

    Raises RolloutMoved when it moved since, RolloutMoveRefused, ReasonMissing, RoutesFrozen (when more callers would
    get the version), NotReady (when it starts), AgentArchived (when it would become live).
    """
    # The agent first, as every new deployment does, so that two never wait for each other.
    lock_agent(rollout.agent)
    locked = Rollout.objects.select_for_update(of=("self",)).get(pk=rollout.pk)
    newest = locked.moves.order_by("-id").first()
    if seen_moves is not None and seen_moves != (newest.pk if newest else 0):
        raise RolloutMoved(locked)
    before = locked.value
    try:
        after = moved(before, move, by=by)
    except MoveRefused as refusal:
        raise RolloutMoveRefused(str(refusal)) from refusal
    reason = reason.strip()
    if by == By.PERSON and move in EXPLAINED and not reason:
        raise ReasonMissing("Say why; whoever reads the history at night needs it.")
    if move == Move.PROMOTE or after.share > before.share:
        refuse_frozen_move(move=move, by=by, reason=reason, actor=actor or locked.created_by)
    if move == Move.START:
        # A planned one was asked when it was made; since then rules, suites or what is live may have changed.
        require_ready(locked.version, actor=actor or locked.created_by)
    locked.state, locked.step = after.state.value, after.step
    locked.save(update_fields=["state", "step"])
    # After the row says that it is over: promoting must not look like a deployment by somebody else.
    deployment = promote(locked, by=by, reason=reason, actor=actor) if move == Move.PROMOTE else None
    row = RolloutMove.objects.create(
        rollout=locked,
        move=move.value,
        state=after.state.value,
        step=after.step,
        share=after.share,
        by=by.value,
        actor=actor,
        reason=reason,
        evaluation=evaluation,
        deployment=deployment,
    )
    _record(f"rollout {PAST[move]}", locked, reason, {"by": by.value, "share": after.share}, actor, was=before.share)
    defer_notices(row)
    rollout.state, rollout.step = locked.state, locked.step
    return row


def cancel_overtaken(deployment: Deployment, actor: User) -> None:
    """Cancel the agent's open rollout when somebody makes a version live: what it is judged against has changed."""
    current = open_rollout(deployment.agent)
    if current is None or deployment.version_id == current.baseline_id:
        return
    words = f"{actor} made {deployment.version} live, so there is nothing left to compare {current.version} with."
    if deployment.version_id == current.version_id:
        words = f"{actor} made {deployment.version} live for everybody, past the rollout."
    move_rollout(rollout=current, move=Move.CANCEL, by=By.PERSON, reason=words, actor=actor)


def rollout_of_agent(agent: Agent) -> list[str]:
    """The open rollout of an agent in words: what keeps it from being archived."""
    current = open_rollout(agent)
    return [f"Rollout of {current.version}: {current.value.state.word}"] if current else []


def allowed_moves(rollout: Rollout) -> tuple[Move, ...]:
    """What a person may do with it now: the buttons of its page."""
    value = rollout.value
    return rollout_states.moves_from(value.state, by=By.PERSON, is_last_step=value.is_at_last_step)


def _record(
    action: str, rollout: Rollout, reason: str, after: dict[str, object], actor: User | None, was: int | None = None
) -> None:
    names = {"agent": rollout.agent.slug, "version": rollout.version.number, "baseline": rollout.baseline.number}
    record(
        action=action,
        subject_kind="rollout",
        subject=str(rollout.pk),
        reason=reason,
        before=None if was is None else {"share": was},
        after={**names, **after},
        actor=actor,
    )
