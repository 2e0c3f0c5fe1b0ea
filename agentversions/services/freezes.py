"""Freeze windows: while one is open, only an admin who says why changes what answers callers."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from agentversions.core.roles import Permission
from agentversions.models import FreezeWindow, User
from agentversions.models.database import database_now

from .audit import record
from .errors import FreezeRefused, RoutesFrozen


def open_freeze(at: datetime | None = None) -> FreezeWindow | None:
    """The window that is open at a moment (None: now, by the database's clock), the one that ends last of several."""
    moment = at or database_now()
    return (
        FreezeWindow.objects.filter(lifted_at=None, starts_at__lte=moment, ends_at__gt=moment)
        .select_related("created_by")
        .order_by("-ends_at")
        .first()
    )


def refuse_frozen(*, reason: str, at: datetime | None = None, actor: User) -> None:
    """Raise RoutesFrozen unless no window is open at that moment (None: now), or an admin gave a reason."""
    freeze = open_freeze(at)
    if freeze is None or (actor.allows(Permission.ADMINISTER) and reason.strip()):
        return
    words = in_words(freeze)
    if actor.allows(Permission.ADMINISTER):
        raise RoutesFrozen(f"{words} Say why it cannot wait; then it is saved.")
    raise RoutesFrozen(f"{words} Ask an admin: only they change what answers until then, with a reason.")


def in_words(freeze: FreezeWindow) -> str:
    """`Frozen until 27 Dec 2026, 08:00 CET: Christmas.`"""
    ends = freeze.ends_at.astimezone(ZoneInfo(freeze.time_zone))
    return f"Frozen until {ends:%-d %b %Y, %H:%M %Z}: {freeze.occasion}."


@transaction.atomic
def create_freeze(
    *, occasion: str, starts_at: datetime, ends_at: datetime, time_zone: str, actor: User
) -> FreezeWindow:
    """A new window. Raises FreezeRefused when it ends before it starts, or has ended already."""
    occasion = " ".join(occasion.split())
    if not occasion or len(occasion) > 200 or "\x00" in occasion:
        raise FreezeRefused("Say in a few words what the freeze is for, such as Christmas.", "occasion")
    if ends_at <= starts_at:
        raise FreezeRefused("The end is not after the start. Choose a later end.", "ends_at")
    if ends_at <= database_now():
        raise FreezeRefused("That end has passed already. Choose a later one.", "ends_at")
    freeze = FreezeWindow.objects.create(
        occasion=occasion, starts_at=starts_at, ends_at=ends_at, time_zone=time_zone, created_by=actor
    )
    _record("freeze made", freeze, actor)
    return freeze


@transaction.atomic
def lift_freeze(*, freeze: FreezeWindow, actor: User) -> FreezeWindow:
    """End a window now, or call one off that has not begun. Raises FreezeRefused when it is over or lifted already."""
    locked = FreezeWindow.objects.select_for_update().get(pk=freeze.pk)
    now = database_now()
    if locked.lifted_at is not None or locked.ends_at <= now:
        raise FreezeRefused(f"“{locked.occasion}” is over already.")
    locked.lifted_at, locked.lifted_by = now, actor
    locked.save(update_fields=["lifted_at", "lifted_by"])
    _record("freeze lifted", locked, actor)
    return locked


def _record(action: str, freeze: FreezeWindow, actor: User) -> None:
    times = {"starts_at": freeze.starts_at.isoformat(), "ends_at": freeze.ends_at.isoformat()}
    record(action=action, subject_kind="freeze", subject=freeze.occasion, after={"id": freeze.pk, **times}, actor=actor)
