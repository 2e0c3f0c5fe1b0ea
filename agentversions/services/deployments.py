"""The live version of an agent: making live, promoting and rolling back each add one row."""

from collections.abc import Callable

from django.db import transaction

from agentversions.models import Agent, AgentVersion, Deployment, ReleaseOverride, RollbackReview, User

from .approval_ending import end_overtaken
from .approval_notices import tell_author
from .audit import record
from .draft_pointer import lock_agent, refuse_archived
from .errors import NotLive, ReasonMissing
from .freezes import refuse_frozen
from .live_versions import is_emergency, is_rollback, live_version, require_live_version
from .readiness import readiness_of, require_ready
from .release_rules import rules_of

__all__ = [
    "current_deployment",
    "is_emergency",
    "is_rollback",
    "live_version",
    "make_live",
    "promote",
    "register_follower",
    "require_live_version",
    "roll_back",
]

Follower = Callable[[Deployment, User], None]
_followers: list[Follower] = []


def register_follower(follower: Follower) -> None:
    """Let an app above act on every new deployment, by whoever made it, in the same transaction."""
    _followers.append(follower)


def current_deployment(agent: Agent) -> Deployment:
    """What made the live version live: since when, by whom, why. Raises NotLive."""
    row: Deployment | None = (
        agent.deployments.newest_first().select_related("version__agent", "created_by", "override").first()
    )
    if row is None:
        raise NotLive(f"“{agent.name}” has no live version yet. Make one live first.")
    return row


@transaction.atomic
def make_live(*, version: AgentVersion, reason: str = "", override_reason: str = "", actor: User) -> Deployment:
    """Make this version the agent's live version; nothing is copied or changed, one row is added.

    `override_reason` passes over what is missing, if the actor may. Raises AgentArchived, RoutesFrozen, NotReady,
    NotAllowed.
    """
    locked = lock_agent(version.agent)
    refuse_archived(locked)
    refuse_frozen(reason=reason, actor=actor)
    override = require_ready(version, override_reason=override_reason, actor=actor)
    return _deploy(locked, version, reason, is_rollback=False, override=override, actor=actor)


@transaction.atomic
def promote(*, version: AgentVersion, reason: str = "", actor: User) -> Deployment:
    """Make live a version that part of the callers hear already.

    The gate and the approvals were asked when that began, beside the same live version; asking again would keep a
    rollout half-way whenever a suite gets a new case. Raises AgentArchived, RoutesFrozen.
    """
    locked = lock_agent(version.agent)
    refuse_archived(locked)
    refuse_frozen(reason=reason, actor=actor)
    goes_back = is_rollback(version, live_version(locked))
    override = readiness_of(version).override
    return _deploy(locked, version, reason, is_rollback=goes_back, override=override, actor=actor)


@transaction.atomic
def roll_back(*, agent: Agent, to: AgentVersion, reason: str, override_reason: str = "", actor: User) -> Deployment:
    """Make another version live because what is live is bad. An earlier one that was live before needs no gate and no
    approval; where the agent asks for them, the rollback is flagged for an approver to look at afterwards.

    Raises ReasonMissing without a reason, NotLive when nothing is live, AgentArchived, RoutesFrozen, NotReady.
    """
    if not reason.strip():
        raise ReasonMissing("Say why you roll back; whoever reads the history at night needs it.")
    locked = lock_agent(agent)
    refuse_archived(locked)
    live = require_live_version(locked)
    refuse_frozen(reason=reason, actor=actor)
    if not is_emergency(to, live):
        override = require_ready(to, override_reason=override_reason, actor=actor)
        return _deploy(locked, to, reason, is_rollback=True, override=override, actor=actor)
    deployment = _deploy(locked, to, reason, is_rollback=True, override=None, actor=actor)
    if rules_of(locked).ask_something:
        RollbackReview.objects.create(deployment=deployment)
    return deployment


def _deploy(
    locked: Agent,
    version: AgentVersion,
    reason: str,
    *,
    is_rollback: bool,
    override: ReleaseOverride | None,
    actor: User,
) -> Deployment:
    before = live_version(locked)
    deployment = Deployment.objects.create(
        agent=locked,
        version=version,
        reason=reason.strip(),
        is_rollback=is_rollback,
        override=override,
        created_by=actor,
    )
    record(
        action="rolled back" if is_rollback else "made live",
        subject_kind="agent",
        subject=locked.slug,
        reason=reason.strip(),
        before={"version": before.number if before else None},
        after={"version": version.number, **({"override": override.reason} if override else {})},
        actor=actor,
    )
    end_overtaken(deployment)
    tell_author(deployment, before)
    for follow in _followers:
        follow(deployment, actor)
    return deployment
