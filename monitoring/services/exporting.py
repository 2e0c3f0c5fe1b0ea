"""Calls as CSV: streamed, with the filter in its first lines, and no cell that a spreadsheet would run.

Callers are masked, unless whoever exports may listen: then the export is written to the audit log.
"""

import csv
from collections.abc import Iterator
from typing import Any

from agentversions.core.roles import Permission
from agentversions.models import Agent, User
from agentversions.services.audit import record
from channels.core.caller_keys import masked
from monitoring.core.call_filter import CallFilter
from monitoring.core.figures import is_automated, version_words

from .call_list import every_call
from .rows import caller_of

COLUMNS = (
    *("id", "started_at", "agent", "version", "variant", "digest", "number", "caller", "direction", "duration_s"),
    *("engaged", "automated", "transferred", "error", "evaluation", "sentiment", "ended_reason", "latency_ms"),
    *("cost", "currency", "attribution", "test"),
)
FIELDS = (
    *(
        "sender_id",
        "started_at",
        "agent_id",
        "version",
        "variant",
        "digest",
        "channel",
        "caller_shown",
        "caller_secret",
    ),
    *("direction", "duration_ms", "is_over", "engaged", "transferred", "is_error", "error", "evaluation"),
    *("sentiment", "ended_reason", "latency_ms", "cost", "currency", "attribution", "is_test"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line:
    """What csv writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


def export_calls(*, wanted: CallFilter, actor: User) -> Iterator[str]:
    """The lines of the file, one call each, newest first."""
    may_listen = actor.allows(Permission.LISTEN)
    if may_listen:
        record(
            action="calls exported with callers",
            subject_kind="calls",
            subject="all" if not wanted.is_narrowed else "filtered",
            after={"filter": [[name, masked(value) if name == "caller" else value] for name, value in wanted.pairs]},
            actor=actor,
        )
    return _lines(wanted, may_listen=may_listen)


def _lines(wanted: CallFilter, *, may_listen: bool) -> Iterator[str]:
    writer: Any = csv.writer(Line())
    # A byte order mark: spreadsheets then read UTF-8.
    said = "; ".join(f"{name} {value}" for name, value in wanted.pairs) or "all"
    yield "\ufeff" + writer.writerow([f"Calls: {said}"])
    yield writer.writerow(COLUMNS)
    agents = dict(Agent.objects.values_list("pk", "slug"))
    for call in every_call(wanted, *FIELDS):
        yield writer.writerow([safe(value) for value in _values(call, agents, may_listen=may_listen)])


def _values(call: Any, agents: dict[int, str], *, may_listen: bool) -> list[Any]:
    words = {True: "yes", False: "no", None: ""}
    return [
        call.sender_id,
        call.started_at.isoformat(),
        agents.get(call.agent_id, ""),
        version_words(call.version),
        call.variant,
        call.digest or "",
        call.channel,
        caller_of(call) if may_listen else call.caller_shown,
        call.direction,
        "" if call.duration_ms is None else call.duration_ms / 1000,
        words[call.engaged],
        words[is_automated(call)] if call.is_over else "",
        words[call.transferred],
        call.error or words[call.is_error],
        call.evaluation or "",
        "" if call.sentiment is None else ("negative", "neutral", "positive")[call.sentiment + 1],
        call.ended_reason,
        "" if call.latency_ms is None else call.latency_ms,
        "" if call.cost is None else call.cost,
        call.currency,
        call.attribution,
        words[call.is_test],
    ]


def safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe; phone numbers keep their plus."""
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    return value if value[0] == "+" and value[1:].isdecimal() else f"'{value}"
