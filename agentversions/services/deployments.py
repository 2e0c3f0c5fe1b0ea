"""The live version of an agent: making live and rolling back each add one row."""

from collections.abc import Callable

from django.db import transaction

from agentversions.models import Agent, AgentVersion, Deployment, User

from .audit import record
from .draft_pointer import lock_agent, refuse_archived
from .errors import NotLive, ReasonMissing
from .freezes import refuse_frozen

Follower = Callable[[Deployment, User], None]
_followers: list[Follower] = []


def register_follower(follower: Follower) -> None:
    """Let an app above act on every new deployment, by whoever made it, in the same transaction."""
    _followers.append(follower)


def live_version(agent: Agent) -> AgentVersion | None:
    """The agent's live version, None while it has none."""
    newest = agent.deployments.newest_first().select_related("version__configuration", "version__created_by").first()
    return newest.version if newest else None


def require_live_version(agent: Agent) -> AgentVersion:
    """The agent's live version. Raises NotLive."""
    version = live_version(agent)
    if version is None:
        raise NotLive(f"“{agent.name}” has no live version yet. Make one live first.")
    return version


def current_deployment(agent: Agent) -> Deployment:
    """What made the live version live: since when, by whom, why. Raises NotLive."""
    row: Deployment | None = agent.deployments.newest_first().select_related("version__agent", "created_by").first()
    if row is None:
        raise NotLive(f"“{agent.name}” has no live version yet. Make one live first.")
    return row


@transaction.atomic
def make_live(*, version: AgentVersion, reason: str = "", actor: User) -> Deployment:
    """Make this version the agent's live version; nothing is copied or changed, one row is added.

    Raises AgentArchived, RoutesFrozen.
    """
    locked = lock_agent(version.agent)
    refuse_archived(locked)
    return _deploy(locked, version, reason, is_rollback=False, actor=actor)


@transaction.atomic
def roll_back(*, agent: Agent, to: AgentVersion, reason: str, actor: User) -> Deployment:
    """Make an earlier version live again.

    Raises ReasonMissing without a reason, NotLive when nothing is live, AgentArchived, RoutesFrozen.
    """
    if not reason.strip():
        raise ReasonMissing("Say why you roll back; whoever reads the history at night needs it.")
    locked = lock_agent(agent)
    refuse_archived(locked)
    require_live_version(locked)
    return _deploy(locked, to, reason, is_rollback=True, actor=actor)


def _deploy(locked: Agent, version: AgentVersion, reason: str, *, is_rollback: bool, actor: User) -> Deployment:
    refuse_frozen(reason=reason, actor=actor)
    before = live_version(locked)
    deployment = Deployment.objects.create(
        agent=locked, version=version, reason=reason.strip(), is_rollback=is_rollback, created_by=actor
    )
    record(
        action="rolled back" if is_rollback else "made live",
        subject_kind="agent",
        subject=locked.slug,
        reason=reason.strip(),
        before={"version": before.number if before else None},
        after={"version": version.number},
        actor=actor,
    )
    for follow in _followers:
        follow(deployment, actor)
    return deployment
