"""Changing many channels at once, and taking such a change back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from simple_history.utils import bulk_update_with_history

from agentversions.models import User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record
from channels.core.routes import RoutePlan
from channels.models import Channel, Route, RouteBatch, RouteBatchItem

from .errors import BatchRefused
from .routes import store_route

SHOWN = 5
"""Channels named in a sentence; the rest is counted."""
CHUNK = 1000


@dataclass(frozen=True)
class Move:
    """One line of a dry run: a channel, what answers it now, and what would."""

    channel: Channel
    before: Route
    after: Route


def plan_moves(channels: Sequence[Channel], plan: RoutePlan) -> list[Move]:
    """What pointing these channels at one plan would change; those that answer so already are left out.

    Raises RouteRefused when the plan cannot answer.
    """
    after = store_route(plan)
    return [Move(channel, channel.route, after) for channel in channels if channel.route_id != after.digest]


def plan_take_back(since: datetime) -> list[Move]:
    """What each channel answered at a moment, for those that answer with something else now; newest change first."""
    then = Channel.history.filter(id=OuterRef("pk"), history_date__lte=since).order_by("-history_date", "-history_id")
    moved: list[Any] = list(
        Channel.objects.with_route()
        .filter(route_changed_at__gt=since)
        .annotate(then=Subquery(then.values("route_id")[:1]))
        .exclude(then=None)
        .order_by("-route_changed_at", "address")
    )
    found = [channel for channel in moved if channel.then != channel.route_id]
    routes = Route.objects.in_bulk({channel.then for channel in found})
    return [Move(channel, channel.route, routes[channel.then]) for channel in found]


@transaction.atomic
def apply_moves(
    *, moves: Sequence[Move], summary: str, reason: str = "", undoes: RouteBatch | None = None, actor: User
) -> RouteBatch:
    """Point every channel of a dry run at its new route, all or none.

    Raises BatchRefused with the channels that somebody moved since the dry run, RouteRefused for a route that can no
    longer answer (its agent was archived meanwhile).
    """
    if not moves:
        raise BatchRefused("Nothing would change. Choose other numbers, or another route.")
    for route in {move.after.digest: move.after for move in moves}.values():
        store_route(route.plan)
    locked = _lock([move.channel.pk for move in moves])
    since = [locked[move.channel.pk] for move in moves if locked[move.channel.pk].route_id != move.before.digest]
    if since:
        raise BatchRefused(
            f"Somebody changed {in_words(since)} meanwhile. Look at the list again; nothing was changed."
        )
    return _apply(moves, locked, summary, reason, undoes, actor)


@transaction.atomic
def undo_batch(*, batch: RouteBatch, reason: str = "", actor: User) -> tuple[RouteBatch, list[Channel]]:
    """Give every channel of a batch back what it answered before; those that moved since are left alone and named.

    Raises BatchRefused when every one of them moved on, or the batch was undone already.
    """
    if batch.undone_by.exists():
        raise BatchRefused("This was undone already.")
    items = list(batch.items.select_related("channel__route", "before", "after").order_by("pk"))
    locked = _lock([item.channel_id for item in items])
    moves, left = [], []
    for item in items:
        channel = locked[item.channel_id]
        if channel.route_id == item.after_id:
            moves.append(Move(channel, item.after, item.before))
        else:
            left.append(channel)
    if not moves:
        raise BatchRefused("All of these numbers were changed again since. Take them back one by one.")
    for route in {move.after.digest: move.after for move in moves}.values():
        store_route(route.plan)
    return _apply(moves, locked, f"Undone: {batch.summary}"[:300], reason, batch, actor), left


def in_words(channels: Sequence[Channel]) -> str:
    """Some of these channels by their numbers: `+33 1 …, +33 2 … and 12 more`."""
    named = ", ".join(str(channel) for channel in channels[:SHOWN])
    return f"{named} and {len(channels) - SHOWN:,} more" if len(channels) > SHOWN else named


def _lock(keys: Sequence[int]) -> dict[int, Channel]:
    """The channels, locked in order of their keys, so that two batches never wait for each other in a ring."""
    rows = Channel.objects.filter(pk__in=keys).order_by("pk").select_for_update()
    return {channel.pk: channel for channel in rows}


def _apply(
    moves: Sequence[Move],
    locked: Mapping[int, Channel],
    summary: str,
    reason: str,
    undoes: RouteBatch | None,
    actor: User,
) -> RouteBatch:
    channels = []
    for move in moves:
        channel = locked[move.channel.pk]
        channel.route = move.after
        channel.route_changed_by = actor
        channel.route_changed_at = ClockTimestamp()
        channels.append(channel)
    bulk_update_with_history(
        channels,
        Channel,
        ["route", "route_changed_by", "route_changed_at"],
        batch_size=CHUNK,
        default_user=actor,
        default_change_reason=reason.strip() or summary,
    )
    batch = RouteBatch.objects.create(summary=summary[:300], reason=reason.strip(), undoes=undoes, created_by=actor)
    RouteBatchItem.objects.bulk_create(
        [RouteBatchItem(batch=batch, channel=move.channel, before=move.before, after=move.after) for move in moves],
        batch_size=CHUNK,
    )
    record(
        action="routes undone" if undoes else "routes changed",
        subject_kind="route batch",
        subject=str(batch.pk),
        reason=reason.strip(),
        after={"summary": batch.summary, "channels": len(moves)},
        actor=actor,
    )
    return batch
