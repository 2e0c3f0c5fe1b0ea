"""How many calls a filter finds: exact where the figures or a short look know it, else about how many."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Sum

from monitoring.core.call_filter import CallFilter
from monitoring.models import HourFigures

from .call_list import agent_key, all_of
from .rows import UNKNOWN_VERSION
from .spans import days_ago, end_of, moment_of

MOST_COUNTED = 10_000
"""Calls that are counted one by one; beyond them PostgreSQL's estimate is said."""
MOST_COST = 100_000
"""What counting may cost, in PostgreSQL's own units (a page read in order is 1): some tenths of a second."""
KNOWN_TO_FIGURES = frozenset({"agent", "version", "variant", "tests", "days", "since", "until"})
DIGITS = 3


@dataclass(frozen=True)
class Count:
    """How many calls are wanted: exactly, about so many, or (`is_least`) more than these."""

    calls: int
    is_exact: bool = True
    is_least: bool = False

    @property
    def words(self) -> str:
        """`18,402 calls`, `About 18,400 calls` or `More than 10,000 calls`."""
        about = "" if self.is_exact else "More than " if self.is_least else "About "
        return f"{about}{self.calls:,} call{'' if self.calls == 1 else 's'}"


def count_calls(wanted: CallFilter) -> Count:
    """From the figures by hour where those know the filter of an agent; else counted, as far as 10,000."""
    if wanted.problems:
        return Count(0)
    if wanted.agent and _figures_know(wanted):
        return Count(_from_figures(wanted))
    found = all_of(wanted).values("id")
    bounded = found[: MOST_COUNTED + 1]
    # Rare calls among many: to find that there are few, all would have to be read.
    counted = bounded.count() if _plan(bounded)["Total Cost"] <= MOST_COST else None
    if counted is not None and counted <= MOST_COUNTED:
        return Count(counted)
    estimate = int(_plan(found)["Plan Rows"])
    if counted is not None and estimate <= MOST_COUNTED:
        # The table grew since its statistics were taken; what was counted is certain.
        return Count(MOST_COUNTED, is_exact=False, is_least=True)
    return Count(_rounded(estimate), is_exact=False)


def _plan(query: Any) -> dict[str, Any]:
    """What PostgreSQL expects of a question, without asking it: `Plan Rows`, `Total Cost`."""
    plan: dict[str, Any] = json.loads(query.explain(format="json"))[0]["Plan"]
    return plan


def _rounded(count: int) -> int:
    """To three digits: 18,402 is 18,400."""
    return round(count, min(DIGITS - len(str(count)), 0))


def _figures_know(wanted: CallFilter) -> bool:
    """Whether sums by hour (UTC) tell it: an agent, its versions, whole hours."""
    if any(name not in KNOWN_TO_FIGURES for name, _ in wanted.pairs):
        return False
    return all(_is_whole_hour(moment) for moment in (*_starts(wanted), *_ends(wanted)))


def _starts(wanted: CallFilter) -> list[datetime]:
    starts = [days_ago(int(wanted.days))] if wanted.days else []
    return [*starts, moment_of(wanted.since)] if wanted.since else starts


def _ends(wanted: CallFilter) -> list[datetime]:
    return [end_of(wanted.until)] if wanted.until else []


def _is_whole_hour(moment: datetime) -> bool:
    return moment.astimezone(UTC).time().replace(hour=0).isoformat() == "00:00:00"


def _from_figures(wanted: CallFilter) -> int:
    found = HourFigures.objects.filter(agent_id=agent_key(wanted.agent))
    for start in _starts(wanted):
        found = found.filter(hour__gte=start)
    for end in _ends(wanted):
        found = found.filter(hour__lt=end)
    if wanted.versions:
        found = found.filter(version__in=[_stored(number) for number in wanted.version_numbers])
    if wanted.variant:
        found = found.filter(variant=wanted.variant)
    if wanted.tests != "too":
        found = found.filter(is_test=wanted.tests == "only")
    return int(found.aggregate(calls=Sum("calls"))["calls"] or 0)


def _stored(number: int | None) -> int:
    return UNKNOWN_VERSION if number is None else number
