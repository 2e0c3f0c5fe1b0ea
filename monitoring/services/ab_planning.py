"""Before a test starts: how long it takes on this number until differences can be told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from agentversions.models.database import database_now
from channels.models import Channel
from monitoring.core.sequential_planning import calls_needed

from .counting import AUTOMATED

WINDOW = timedelta(days=28)
MOST_CALLS = 50_000
POINTS = (10, 5, 3)
FEWEST_ENGAGED = 10
STATEMENT = f"""
WITH found AS (
    SELECT started_at, is_over, engaged, transferred, is_error FROM monitoring_call
    WHERE channel = %s AND started_at >= %s AND started_at < %s AND NOT is_test ORDER BY started_at DESC LIMIT %s
)
SELECT count(*), min(started_at), count(*) FILTER (WHERE is_over AND engaged),
    count(*) FILTER (WHERE {AUTOMATED}) FROM found
"""  # noqa: S608 our own condition


@dataclass(frozen=True)
class Needed:
    """What a difference of some points takes: calls, and days at the number's pace."""

    points: int
    calls: int
    days: int


@dataclass(frozen=True)
class AbPlan:
    """What is known of a number's calls, and what its test would take. No `needed`: nobody can say, and `why`."""

    calls: int
    calls_a_day: float
    rate: float | None
    needed: tuple[Needed, ...]
    why: str = ""


def plan_ab(channel: Channel, shares: Sequence[int]) -> AbPlan:
    """From the number's calls of the last four weeks; `shares` are buckets of 100,000, the control first.

    Reads at most 50,000 calls by the index (channel, started_at). A number that is new counts the days since its first
    call.
    """
    now = database_now()
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, [channel.address, now - WINDOW, now, MOST_CALLS])
        calls, first, engaged, automated = cursor.fetchone()
    days = max((now - first).total_seconds() / 86_400, 1.0) if calls else 1.0
    a_day = calls / days
    rate = automated / engaged if engaged >= FEWEST_ENGAGED else None
    if rate is None:
        return AbPlan(calls, a_day, None, (), _unknown(calls))
    if len(shares) < 2 or min(shares) <= 0 or sum(shares) != 100_000:
        return AbPlan(
            calls, a_day, rate, (), "Give each variant a share, 100 % in all, to see how long the test takes."
        )
    parts = [share / 100_000 for share in shares]
    likely = (automated + 1) / (engaged + 2)
    needed = []
    for points in POINTS:
        count = calls_needed(likely, points / 100, parts, counted=engaged / calls)
        if count is not None:
            needed.append(Needed(points, count, math.ceil(count / a_day)))
    return AbPlan(calls, a_day, rate, tuple(needed))


def _unknown(calls: int) -> str:
    known = f"{calls:,} call{'' if calls == 1 else 's'}" if calls else "No call"
    few = f", fewer than {FEWEST_ENGAGED} of them engaged and over" if calls else ""
    return (
        f"{known} of this number {'is' if calls < 2 else 'are'} known from the last four weeks{few}: "
        "nobody can say how long a test takes here."
    )
