"""When edits of a draft reach callers: at once (the default), or after Apply."""

from django.db import transaction

from agentversions.core.changes import compare
from agentversions.models import Agent, Configuration, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record
from agentversions.services.draft_pointer import lock_agent, refuse_archived
from channels.models import Channel, DraftServing, RouteTarget

from .errors import NotServing


def applied_draft(agent: Agent) -> Configuration | None:
    """What callers of the draft hear when edits wait for Apply; None when every edit reaches them at once."""
    serving = DraftServing.objects.select_related("applied").filter(agent=agent).first()
    return serving.applied if serving else None


def count_waiting(agent: Agent) -> int:
    """How many settings of the draft differ from what callers hear: the edits that wait for Apply."""
    applied = applied_draft(agent)
    if applied is None or applied.digest == agent.draft_id:
        return 0
    return len(compare(applied.load(), agent.draft.load()).changes)


def count_followers(agent: Agent) -> int:
    """How many channels that are switched on follow this agent's draft, alone or in a test."""
    routes = RouteTarget.objects.filter(agent=agent, follow="draft").values("route_id")
    found: int = Channel.objects.filter(route_id__in=routes, is_enabled=True).count()
    return found


@transaction.atomic
def wait_for_apply(*, agent: Agent, actor: User) -> DraftServing:
    """From now on callers hear the draft as it is now, until somebody applies a newer state."""
    locked = lock_agent(agent)
    refuse_archived(locked)
    return _serve(locked, locked.draft_id, "Edits reach callers after Apply", actor)


@transaction.atomic
def apply_draft(*, agent: Agent, actor: User) -> DraftServing:
    """Let callers hear the draft as it is now. Raises NotServing when edits reach them at once anyway."""
    locked = lock_agent(agent)
    refuse_archived(locked)
    if not DraftServing.objects.filter(agent=locked, applied__isnull=False).exists():
        raise NotServing(f"Edits of “{locked.name}” reach callers at once; there is nothing to apply.")
    return _serve(locked, locked.draft_id, "Draft applied", actor)


@transaction.atomic
def serve_at_once(*, agent: Agent, actor: User) -> DraftServing:
    """From now on every edit reaches callers at once."""
    locked = lock_agent(agent)
    refuse_archived(locked)
    return _serve(locked, None, "Edits reach callers at once", actor)


def _serve(agent: Agent, digest: str | None, reason: str, actor: User) -> DraftServing:
    serving = DraftServing.objects.filter(agent=agent).first() or DraftServing(agent=agent)
    if serving.pk and serving.applied_id == digest:
        return serving
    before, serving.applied_id = serving.applied_id, digest
    serving.changed_by = actor
    serving.changed_at = ClockTimestamp()
    serving._history_user = actor  # type: ignore[attr-defined]
    serving._change_reason = reason  # type: ignore[attr-defined]
    serving.save()
    serving.refresh_from_db()
    record(
        action=reason.lower(),
        subject_kind="agent",
        subject=agent.slug,
        before={"applied": before},
        after={"applied": digest},
        actor=actor,
    )
    return serving
