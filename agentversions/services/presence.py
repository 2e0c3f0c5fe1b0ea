"""Who has an agent's editor open: each open page says so every few seconds, and who falls silent is gone."""

from datetime import timedelta

from agentversions.models import Agent, EditorPresence, User
from agentversions.models.database import ClockTimestamp

GONE_AFTER = timedelta(seconds=30)


def note_presence(*, agent: Agent, actor: User) -> tuple[User, ...]:
    """Say that this person has the editor open, and learn who else has, by name."""
    EditorPresence.objects.bulk_create(
        [EditorPresence(agent=agent, user=actor, seen_at=ClockTimestamp())],
        update_conflicts=True,
        unique_fields=["agent", "user"],
        update_fields=["seen_at"],
    )
    return others_present(agent=agent, actor=actor)


def others_present(*, agent: Agent, actor: User) -> tuple[User, ...]:
    """Everybody else who has this agent's editor open, by name."""
    seen = EditorPresence.objects.filter(agent=agent, seen_at__gt=ClockTimestamp() - GONE_AFTER)
    rows = seen.exclude(user=actor).select_related("user").order_by("user__username")
    return tuple(row.user for row in rows)
