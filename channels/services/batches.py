"""Changing many channels at once, and taking such a change back."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery

from agentversions.models import User
from agentversions.services.audit import record
from agentversions.services.freezes import refuse_frozen
from channels.core.routes import RoutePlan
from channels.models import Channel, Route, RouteBatch

from .errors import BatchRefused
from .moves import Move, digest_of_moves, in_words
from .moving import lock_routes, move_channels
from .routes import store_route


def plan_moves(channels: Any, plan: RoutePlan) -> list[Move]:
    """What pointing these channels (a query) at one plan would change; those that answer so already are left out.

    Raises RouteRefused when the plan cannot answer.
    """
    after = store_route(plan).digest
    found = channels.exclude(route=after).order_by("address").values_list("pk", "route_id")
    return [Move(key, before, after) for key, before in found]


def plan_take_back(since: datetime) -> list[Move]:
    """What each channel answered at a moment, for those that answer with something else now; newest change first.

    Raises RouteRefused when something that answered then can no longer answer (its agent was archived).
    """
    then = Channel.history.filter(id=OuterRef("pk"), history_date__lte=since).order_by("-history_date", "-history_id")
    moved: Any = (
        Channel.objects.filter(route_changed_at__gt=since)
        .annotate(then=Subquery(then.values("route_id")[:1]))
        .exclude(then=None)
        .order_by("-route_changed_at", "address")
        .values_list("pk", "route_id", "then")
    )
    moves = [Move(key, now, before) for key, now, before in moved if now != before]
    _store_again(moves)
    return moves


@transaction.atomic
def apply_moves(
    *,
    moves: Sequence[Move],
    summary: str,
    reason: str = "",
    seen: str | None = None,
    actor: User,
) -> RouteBatch:
    """Point every channel of a dry run at its new route, all or none. `seen` is the fingerprint of the dry run that
    was shown (None: whatever would change now).

    Raises BatchRefused with the channels that somebody moved since, RouteRefused for a route that can no longer
    answer, RoutesFrozen.
    """
    if seen is not None and digest_of_moves(moves) != seen:
        raise BatchRefused("Something changed since you looked. Nothing was changed; look at the list again.")
    if not moves:
        raise BatchRefused("Nothing would change. Choose other numbers, or another route.")
    locked = lock_routes([move.channel_id for move in moves])
    since = [move.channel_id for move in moves if locked.get(move.channel_id) != move.before]
    if since:
        raise BatchRefused(
            f"Somebody changed {in_words(since)} meanwhile. Nothing was changed; look at the list again."
        )
    return _apply(moves, summary, reason, None, actor)


@transaction.atomic
def undo_batch(*, batch: RouteBatch, reason: str = "", actor: User) -> tuple[RouteBatch, list[int]]:
    """Give every channel of a batch back what it answered before; those that moved since are left alone and given back
    by their keys.

    Raises BatchRefused when every one of them moved on, or the batch was undone already, RoutesFrozen.
    """
    items = list(batch.items.order_by("pk").values_list("channel_id", "before_id", "after_id"))
    locked = lock_routes([key for key, _, _ in items])
    # Asked under the lock: of two people who press Undo at the same moment, the second sees the first one's.
    if batch.undone_by.exists():
        raise BatchRefused("This was undone already.")
    moves = [Move(key, after, before) for key, before, after in items if locked[key] == after]
    left = [key for key, _, after in items if locked[key] != after]
    if not moves:
        raise BatchRefused("All of these numbers were changed again since. Take them back one by one.")
    return _apply(moves, f"Undone: {batch.summary}", reason, batch, actor), left


def _store_again(moves: Iterable[Move]) -> None:
    """Every new route of these moves, checked as one that is saved now. Raises RouteRefused."""
    for route in Route.objects.filter(digest__in={move.after for move in moves}).order_by("digest"):
        store_route(route.plan)


def _apply(moves: Sequence[Move], summary: str, reason: str, undoes: RouteBatch | None, actor: User) -> RouteBatch:
    refuse_frozen(reason=reason, actor=actor)
    _store_again(moves)
    reason = reason.strip()
    batch = RouteBatch.objects.create(summary=summary[:300], reason=reason, undoes=undoes, created_by=actor)
    move_channels(moves=moves, batch=batch, reason=reason or batch.summary, actor=actor)
    record(
        action="routes undone" if undoes else "routes changed",
        subject_kind="route batch",
        subject=str(batch.pk),
        reason=reason,
        after={"summary": batch.summary, "channels": len(moves)},
        actor=actor,
    )
    return batch
