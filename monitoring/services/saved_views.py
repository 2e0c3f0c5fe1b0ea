"""Saved views: filters of the list of calls under a name, private or shared; and the columns each person chose."""

from typing import Any
from urllib.parse import parse_qs

from django.db import IntegrityError, transaction
from django.db.models import Q

from agentversions.core.roles import Permission
from agentversions.models import User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record
from agentversions.services.errors import NotAllowed
from monitoring.core.call_filter import CallFilter, read_filter
from monitoring.core.columns import USUAL, in_order
from monitoring.models import CallColumns, SavedView

from .errors import ViewRefused

MOST_VIEWS = 100
"""Of one person."""
MOST_SHOWN = 300
LONGEST_QUERY = 2_000


def list_views(person: User) -> list[SavedView]:
    """A person's own views, then those that others share, each by name."""
    visible = SavedView.objects.filter(Q(owner=person) | Q(is_shared=True)).select_related("owner")
    return sorted(visible[:MOST_SHOWN], key=lambda view: (view.owner_id != person.pk, view.name.lower(), view.pk))


def find_view(number: int, *, person: User) -> SavedView | None:
    """A view that this person may see."""
    return SavedView.objects.filter(Q(owner=person) | Q(is_shared=True), pk=number).select_related("owner").first()


def filter_of(query: str) -> CallFilter:
    """The filter of a stored or sent address."""
    return read_filter(parse_qs(query))


def may_change(view: SavedView, person: User) -> bool:
    """Its owner may; an admin may as well while everybody sees it."""
    return view.owner_id == person.pk or (view.is_shared and person.allows(Permission.ADMINISTER))


@transaction.atomic
def save_view(*, name: str, query: str, is_shared: bool, actor: User) -> SavedView:
    """Keep filters under a name. Raises ViewRefused."""
    if SavedView.objects.filter(owner=actor).count() >= MOST_VIEWS:
        raise ViewRefused(f"You have {MOST_VIEWS} saved views. Delete one first.")
    view = SavedView(owner=actor, name=name, query=_checked(query), is_shared=is_shared)
    _write(view)
    if is_shared:
        _note("view shared", view, before=None, after=_facts(view), actor=actor)
    return view


@transaction.atomic
def change_view(*, view: SavedView, name: str, query: str | None, is_shared: bool, actor: User) -> SavedView:
    """Rename a view, share it or take it back, and keep other filters in it (None: its own stay).

    Raises ViewRefused and NotAllowed.
    """
    locked = _lock(view, actor)
    before = _facts(locked)
    locked.name, locked.is_shared = name, is_shared
    if query is not None:
        locked.query = _checked(query)
    _write(locked)
    after = _facts(locked)
    if before != after and (before["is_shared"] or is_shared):
        action = "shared view changed" if before["is_shared"] == is_shared else "view shared"
        _note("view no longer shared" if not is_shared else action, locked, before=before, after=after, actor=actor)
    return locked


@transaction.atomic
def delete_view(*, view: SavedView, actor: User) -> None:
    """Forget a view; the calls stay. Raises ViewRefused and NotAllowed."""
    locked = _lock(view, actor)
    if locked.is_shared:
        _note("shared view deleted", locked, before=_facts(locked), after=None, actor=actor)
    locked.delete()


def columns_of(person: User) -> list[str]:
    """The columns that a person chose, or the usual ones."""
    found = CallColumns.objects.filter(person=person).first()
    return in_order(found.columns if found is not None else USUAL)


@transaction.atomic
def choose_columns(*, columns: list[str], actor: User) -> list[str]:
    """Show these columns to this person from now on; unknown ones are left out."""
    chosen = in_order(columns)
    CallColumns.objects.update_or_create(person=actor, defaults={"columns": chosen})
    return chosen


@transaction.atomic
def forget_columns(*, actor: User) -> None:
    """Show this person the usual columns again, and those that become usual later."""
    CallColumns.objects.filter(person=actor).delete()


def _lock(view: SavedView, actor: User) -> SavedView:
    locked = SavedView.objects.select_for_update().filter(pk=view.pk).first()
    if locked is None:
        raise ViewRefused(f"“{view.name}” was deleted meanwhile. Save the filters under a name again.")
    if not may_change(locked, actor):
        raise NotAllowed(f"“{locked.name}” is {locked.owner}’s. Save the filters under a name of your own.")
    return locked


def _checked(query: str) -> str:
    """The filters as their own address says them. Raises ViewRefused."""
    wanted = filter_of(query)
    if wanted.problems:
        raise ViewRefused(wanted.problems[0][1])
    if not wanted.is_narrowed:
        raise ViewRefused("Choose filters first: a view without any is the whole list.")
    if len(wanted.address) > LONGEST_QUERY:
        raise ViewRefused("These are too many filters to keep. Choose fewer versions.")
    return wanted.address


def _write(view: SavedView) -> None:
    view.changed_at = ClockTimestamp()
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        if "saved_view_name_of_owner" not in str(error):
            raise
        words = f"There is a view “{view.name}” already. Choose another name, or update that one."
        raise ViewRefused(words, "name") from error


def _facts(view: SavedView) -> dict[str, Any]:
    return {"name": view.name, "query": view.query, "is_shared": view.is_shared}


def _note(action: str, view: SavedView, *, before: Any, after: Any, actor: User) -> None:
    record(action=action, subject_kind="saved view", subject=view.name, before=before, after=after, actor=actor)
