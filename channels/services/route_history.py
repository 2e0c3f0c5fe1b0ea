"""A channel's past as people read it: each change of what answered, or of the channel itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.models import Channel, Route

PER_PAGE = 20


@dataclass(frozen=True)
class Change:
    """One change: when, by whom, why, and what it was in words."""

    at: datetime
    by: Any
    reason: str
    words: str
    is_current: bool = False


@dataclass(frozen=True)
class RouteHistory:
    """One page of changes, newest first."""

    changes: list[Change]
    next_page: int | None


def list_route_history(channel: Channel, *, page: int = 1) -> RouteHistory:
    """Twenty changes of a channel, each told by what differs from the one before."""
    start = (max(page, 1) - 1) * PER_PAGE
    # One more than is shown: the row before the last tells what the last one changed.
    rows = list(
        Channel.history.filter(id=channel.pk)
        .select_related("history_user")
        .order_by("-history_id")[start : start + PER_PAGE + 1]
    )
    routes = {route.digest: str(route) for route in Route.objects.filter(digest__in={row.route_id for row in rows})}
    changes = [
        Change(
            row.history_date,
            row.history_user,
            row.history_change_reason or "",
            _in_words(row, rows[at + 1] if at + 1 < len(rows) else None, routes),
            is_current=start + at == 0,
        )
        for at, row in enumerate(rows[:PER_PAGE])
    ]
    return RouteHistory(changes, page + 1 if len(rows) > PER_PAGE else None)


def _in_words(row: Any, before: Any, routes: dict[str, str]) -> str:
    if before is None or row.route_id != before.route_id:
        return routes[row.route_id]
    if row.is_enabled != before.is_enabled:
        return "Switched on" if row.is_enabled else "Switched off"
    if row.label != before.label:
        return f"Label: {row.label or 'none'}"
    return f"Time zone: {row.time_zone}" if row.time_zone != before.time_zone else "Saved again"
