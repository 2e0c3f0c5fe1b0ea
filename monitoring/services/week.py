"""The calls of the last seven days and how many had an error: for the pages of agents, versions and numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum

from agentversions.models import Agent
from monitoring.core.comparing import Estimate, rate
from monitoring.models import HourFigures

from .spans import days_ago

DAYS = 7
"""Of the reader's, today with them; the list of calls and the analytics know them by the same number."""
MOST_OF_ONE = 10_000
MOST_OF_MANY = 1_000
"""Calls that are counted of a number: on its page, and in a list of numbers. Beyond them it is `more than`."""


@dataclass(frozen=True)
class Week:
    """Calls, and those with an error; not `is_exact`: of the newest so many, and there are more."""

    calls: int = 0
    errors: int = 0
    is_exact: bool = True

    @property
    def error_rate(self) -> Estimate | None:
        """Calls with an error, of all calls."""
        return rate(self.errors, self.calls)


NO_CALLS = Week()


def week_of_agent(agent: Agent) -> Week:
    """Of all its versions and its draft. Test calls are left out; hours count whole."""
    found = _hours(agent).aggregate(calls=Sum("calls"), errors=Sum("errors"))
    return Week(found["calls"] or 0, found["errors"] or 0)


def week_of_versions(agent: Agent, numbers: Iterable[int]) -> dict[int, Week]:
    """Of each version, in one question; 0 is the draft."""
    hours = _hours(agent).filter(version__in=set(numbers)).values_list("version")
    found = hours.annotate(Sum("calls"), Sum("errors")).order_by()
    weeks = {version: Week(calls, errors) for version, calls, errors in found}
    return {number: weeks.get(number, NO_CALLS) for number in numbers}


def week_of_channels(addresses: Sequence[str], *, most: int) -> dict[str, Week]:
    """Of each number, in one question; of the newest `most` calls of one that has more."""
    with connection.cursor() as cursor:
        cursor.execute(OF_CHANNELS, {"addresses": list(addresses), "since": days_ago(DAYS), "most": most})
        found = cursor.fetchall()
    return {address: Week(min(calls, most), errors, is_exact=calls <= most) for address, calls, errors in found}


# Each number's newest calls by the index monitoring_call_of_channel; the one call more only says that there are more.
OF_CHANNELS = """
    SELECT address, counted.calls, counted.errors
    FROM unnest(%(addresses)s::text[]) AS address
    CROSS JOIN LATERAL (
        SELECT count(*) AS calls, count(*) FILTER (WHERE is_error AND place <= %(most)s) AS errors
        FROM (
            SELECT is_error, row_number() OVER (ORDER BY started_at DESC, id DESC) AS place
            FROM (
                SELECT is_error, started_at, id
                FROM monitoring_call
                WHERE channel = address AND started_at >= %(since)s AND NOT is_test
                ORDER BY started_at DESC, id DESC LIMIT %(most)s + 1
            ) AS newest
        ) AS numbered
    ) AS counted
"""


def _hours(agent: Agent) -> Any:
    return HourFigures.objects.filter(agent_id=agent.pk, is_test=False, hour__gte=days_ago(DAYS))
