"""The one place where an agent's draft pointer moves: the row, its history and its name in lists change together."""

from agentversions.core.configuration import AgentConfiguration
from agentversions.models import Agent, Configuration, User
from agentversions.models.database import ClockTimestamp

from .errors import AgentArchived, DraftMoved


def lock_agent(agent: Agent) -> Agent:
    """The agent's row, locked until the transaction ends. Writers of one agent queue here.

    The draft is not joined: after waiting for the lock PostgreSQL checks the join again, with the new pointer against
    the configuration it had joined before, and a moved draft would make the agent seem to be gone.
    """
    locked: Agent = Agent.objects.select_for_update().get(pk=agent.pk)
    return locked


def lock_agent_at(agent: Agent, digest: str | None) -> Agent:
    """The locked agent, if its draft still stands at a digest (None: wherever it stands). Raises DraftMoved."""
    locked = lock_agent(agent)
    if digest is not None and locked.draft_id != digest:
        raise DraftMoved("Somebody else saved this draft. Load it again, then repeat your change.", locked.draft_id)
    return locked


def refuse_archived(agent: Agent) -> None:
    """Raise AgentArchived when the agent was put away."""
    if agent.is_archived:
        raise AgentArchived(f"“{agent.name}” is archived. Bring it back before you change it.")


def move_draft(
    *, agent: Agent, configuration: Configuration, content: AgentConfiguration, reason: str, actor: User
) -> None:
    """Point a locked agent's draft at a configuration and write the history row with its reason."""
    agent.draft = configuration
    agent.name, agent.kind = content.name, content.kind
    agent.draft_changed_by = actor
    agent.draft_changed_at = ClockTimestamp()
    agent._history_user = actor  # type: ignore[attr-defined]
    agent._change_reason = reason  # type: ignore[attr-defined]
    agent.save(update_fields=["draft", "name", "kind", "draft_changed_at", "draft_changed_by"])
    agent.refresh_from_db(fields=["draft_changed_at"])
