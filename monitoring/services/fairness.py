"""Warns where a comparison of two versions is unfair: other numbers, hours, days, languages or callers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from agentversions.models import Agent
from monitoring.core.fairness import imbalance
from monitoring.core.periods import Period
from monitoring.core.rollups import CHANNEL
from monitoring.models import Call

from .rows import UNKNOWN_VERSION
from .sums import sums_by_version

SAMPLE = 5_000
"""Newest calls of each version that are looked at for what no figure keeps."""
HOURS = """
    SELECT version, extract(hour FROM hour AT TIME ZONE %s)::int, extract(isodow FROM hour AT TIME ZONE %s)::int >= 6,
           (hour AT TIME ZONE %s)::date, sum(calls)
    FROM monitoring_hourfigures
    WHERE agent_id = %s AND NOT is_test AND hour >= %s AND hour < %s AND version = ANY(%s) GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Unfairness:
    """What differed besides the version."""

    title: str
    words: str


def fairness_warnings(agent: Agent, period: Period, head: int, base: int) -> list[Unfairness]:
    """What differed between the calls of two versions in a period, the gravest kind first."""
    languages = [_language(agent, version) for version in (head, base)]
    found = []
    if None not in languages and languages[0] != languages[1]:
        found.append(Unfairness("Different languages", f"One speaks {languages[0]}, the other {languages[1]}."))
    by_channel, by_hour, by_day = Counter[Any](), Counter[Any](), Counter[Any]()
    for (version, channel), sums in sums_by_version(CHANNEL, agent.pk, period, by="channel").items():
        by_channel[version, channel] = sums[0]
    for version, hour, is_weekend, day, calls in _hours(period, agent, head, base):
        by_hour[version, (hour, is_weekend)] += calls
        by_day[version, day] += calls
    checks = (
        ("Different numbers", "of the calls came through numbers that the other answered less often.", by_channel),
        ("Different times", "of the calls came on days when the other had fewer: what else changed then?", by_day),
        ("Different hours", "of the calls came at hours of the day or week when the other had fewer.", by_hour),
        (
            "Different callers",
            "of the newest calls differ in direction, in whether the number was shown, or in how often people call.",
            _callers(agent, period, head, base),
        ),
    )
    for title, words, counted in checks:
        distance = imbalance(_part(counted, head), _part(counted, base))
        if distance is not None:
            found.append(Unfairness(title, f"{distance:.0%} {words}"))
    return found


def _part(counted: Mapping[Any, int], version: int) -> dict[Any, int]:
    return {key: calls for (owner, key), calls in counted.items() if owner == version}


def _hours(period: Period, agent: Agent, *versions: int) -> list[tuple[Any, ...]]:
    zone = str(period.since.tzinfo)
    with connection.cursor() as cursor:
        cursor.execute(HOURS, [zone, zone, zone, agent.pk, period.since, period.until, list(versions)])
        return list(cursor.fetchall())


def _callers(agent: Agent, period: Period, *versions: int) -> Counter[Any]:
    """Direction and kind of caller of the newest calls, equally many of each version."""
    samples = {version: _newest(agent, period, version) for version in versions}
    size = min(len(sample) for sample in samples.values())
    counted = Counter[Any]()
    for version, sample in samples.items():
        often = Counter(caller for _, caller, _ in sample[:size])
        for direction, caller, shown in sample[:size]:
            kind = ("calls once" if often[caller] == 1 else "calls often") if caller else shown or "unknown"
            counted[version, (direction, kind)] += 1
    return counted


def _newest(agent: Agent, period: Period, version: int) -> list[tuple[str, bytes | None, str]]:
    calls = Call.objects.filter(
        agent_id=agent.pk,
        version=None if version == UNKNOWN_VERSION else version,
        is_test=False,
        started_at__gte=period.since,
        started_at__lt=period.until,
    ).order_by("-started_at", "-id")
    rows = calls.values_list("direction", "caller_hash", "caller_shown")[:SAMPLE]
    return [(direction, bytes(caller) if caller else None, shown) for direction, caller, shown in rows]


def _language(agent: Agent, version: int) -> str | None:
    if version <= 0:
        return None
    found = agent.versions.select_related("configuration").filter(number=version).first()
    return found.configuration.load().language if found else None
