"""The one place where an agent's draft pointer moves: the row, its history and its name in lists change together."""

from collections.abc import Iterable

from simple_history.utils import bulk_update_with_history

from agentversions.core.configuration import AgentConfiguration
from agentversions.models import Agent, Configuration, User
from agentversions.models.database import ClockTimestamp

from .errors import AgentArchived, DraftMoved

MOVED = ["draft", "name", "kind", "draft_changed_at", "draft_changed_by"]


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


def lock_agents(keys: Iterable[int]) -> dict[int, Agent]:
    """The rows of many agents by primary key, locked in one order, so that two writers never wait for each other."""
    return {agent.pk: agent for agent in Agent.objects.select_for_update().filter(pk__in=keys).order_by("pk")}


def move_draft(
    *, agent: Agent, configuration: Configuration, content: AgentConfiguration, reason: str, actor: User
) -> None:
    """Point a locked agent's draft at a configuration and write the history row with its reason."""
    point_draft(agent=agent, configuration=configuration, content=content, reason=reason, actor=actor)
    agent.save(update_fields=MOVED)
    agent.refresh_from_db(fields=["draft_changed_at"])


def move_drafts(agents: list[Agent]) -> None:
    """Write the moves of locked agents after `point_draft`, with their history, in two queries for all of them."""
    if agents:
        bulk_update_with_history(agents, Agent, MOVED)


def point_draft(
    *, agent: Agent, configuration: Configuration, content: AgentConfiguration, reason: str, actor: User
) -> None:
    """Set the fields of a move; `move_drafts` writes them."""
    agent.draft = configuration
    agent.name, agent.kind = content.name, content.kind
    agent.draft_changed_by = actor
    agent.draft_changed_at = ClockTimestamp()
    agent._history_user = actor  # type: ignore[attr-defined]
    agent._change_reason = reason  # type: ignore[attr-defined]
