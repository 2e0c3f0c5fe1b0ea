"""Which version of an agent is live: the version of its newest deployment."""

from agentversions.models import Agent, AgentVersion

from .errors import NotLive


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


def is_rollback(version: AgentVersion, live: AgentVersion | None) -> bool:
    """Whether making this version live goes back: to an earlier one than what is live."""
    return live is not None and version.number < live.number


def is_emergency(version: AgentVersion, live: AgentVersion | None) -> bool:
    """Whether making this version live goes back to what callers heard before: that needs no gate and no approval."""
    return is_rollback(version, live) and bool(version.deployments.exists())
