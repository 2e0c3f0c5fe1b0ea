"""Pages by key, of calls and of the audit log: as quick at any depth as at the first, and new rows move none."""

from collections.abc import Callable
from typing import Any, NamedTuple

from monitoring.core.page_key import PageKey


class KeyPage(NamedTuple):
    """The rows of one page, newest first, with the keys of the pages beside it."""

    rows: list[Any]
    older: PageKey | None
    newer: PageKey | None


def beside(found: Any, column: str, *, before: PageKey | None = None, after: PageKey | None = None) -> Any:
    """A query in order of the moments in a column, newest first: what comes after the row of `before`; what comes
    before the row of `after`, the nearest first."""
    if before is not None:
        found = found.filter(**{f"{column}__lte": before.started_at})
        found = found.exclude(**{column: before.started_at, "id__gte": before.id})
    if after is not None:
        found = found.filter(**{f"{column}__gte": after.started_at})
        found = found.exclude(**{column: after.started_at, "id__lte": after.id})
    return found.order_by(column, "id") if after is not None else found.order_by(f"-{column}", "-id")


def cut_page(
    rows: list[Any],
    size: int,
    key: Callable[[Any], PageKey],
    *,
    before: PageKey | None = None,
    after: PageKey | None = None,
) -> KeyPage:
    """A page of so many rows, of which one more was asked for to see whether there are others."""
    is_more, rows = len(rows) > size, rows[:size]
    if after is not None:
        rows.reverse()
    has_newer = is_more if after is not None else before is not None
    has_older = is_more if after is None else True
    return KeyPage(
        rows,
        older=key(rows[-1]) if rows and has_older else None,
        newer=key(rows[0]) if rows and has_newer else None,
    )
