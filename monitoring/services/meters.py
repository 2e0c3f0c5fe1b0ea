"""Calls and errors by agent, version and arm for Prometheus, counted once when a call is over and its rows are kept."""

from collections import Counter as Tally
from collections.abc import Iterable

from django.db import transaction
from prometheus_client import Counter

from agentversions.models import Agent
from config.exposition import REGISTRY
from monitoring.core.figures import DRAFT

from .rows import Row

NAMES = ["agent", "version", "arm"]
CALLS = Counter("agent_calls", "Calls that are over, by what handled them", NAMES, registry=REGISTRY)
ERRORS = Counter("agent_errors", "Calls that are over and had an error", NAMES, registry=REGISTRY)
OLD_SOURCES = frozenset({"import", "demo"})
"""Calls of the past: a rate over the last minutes is not about them."""
Key = tuple[int, int | None, str]


def count_for_prometheus(changes: Iterable[tuple[Row | None, Row | None]], *, source: str) -> None:
    """Count, once the transaction is done, calls that are over by these changes, and errors that became known.

    Test calls and imported ones are left out. A counter only grows: an error that is taken back later stays counted.
    """
    if source in OLD_SOURCES:
        return
    calls: Tally[Key] = Tally()
    errors: Tally[Key] = Tally()
    for before, after in changes:
        if after is None or not after.values["is_over"] or after.values["is_test"]:
            continue
        key = _key(after)
        was = before.values if before is not None and before.values["is_over"] else None
        calls[key] += was is None
        errors[key] += bool(after.values["is_error"]) and not (was and was["is_error"])
    if calls:
        transaction.on_commit(lambda: _count(calls, errors), robust=True)


def _count(calls: Tally[Key], errors: Tally[Key]) -> None:
    slugs = dict(Agent.objects.filter(pk__in={agent for agent, _, _ in calls}).values_list("pk", "slug"))
    for counter, found in ((CALLS, calls), (ERRORS, errors)):
        for (agent, version, arm), times in found.items():
            labels = slugs.get(agent, "unknown"), _word(version), arm
            # An arm without an error yet stands at 0, so that a rate can be made of it.
            counter.labels(*labels).inc(times)


def _key(row: Row) -> Key:
    said = (row.values["decision"] or {}).get("o") or {}
    return row.values["agent_id"], row.values["version"], said.get("m", "")


def _word(version: int | None) -> str:
    if version is None:
        return "unknown"
    return "draft" if version == DRAFT else str(version)
