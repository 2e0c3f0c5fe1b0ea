"""The audit log as CSV and as JSON lines: streamed, with the filters in the first line."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from monitoring.core.audit_filter import AuditFilter

from .audit_list import every_entry
from .exporting import Line, safe

COLUMNS = (
    *("id", "at", "who", "action", "subject_kind", "subject", "reason", "before", "after", "origin", "origin_name"),
    *("client_address", "actor_name", "position", "hash"),
)


def export_csv(wanted: AuditFilter) -> Iterator[str]:
    """The lines of a table, one entry each, newest first; no cell is one that a spreadsheet would run."""
    writer: Any = csv.writer(Line())
    # A byte order mark: spreadsheets then read UTF-8.
    yield "\ufeff" + writer.writerow([safe(f"Audit log: {_said(wanted)}")])
    yield writer.writerow(COLUMNS)
    for entry in every_entry(wanted):
        yield writer.writerow([safe(value) for value in _cells(entry)])


def export_json_lines(wanted: AuditFilter) -> Iterator[str]:
    """A line with the filters, then one object for each entry, newest first: all that its hash is made from."""
    yield _line({"filters": dict(wanted.pairs)})
    for entry in every_entry(wanted):
        seal = {"position": entry.seal__position, "hash": entry.seal__hash, "previous": entry.seal__previous}
        names = ("action", "subject_kind", "subject", "reason", "before", "after", "origin", "origin_name")
        yield _line(
            {
                "id": entry.id,
                "at": moment(entry.at),
                "actor": entry.actor_id,
                "who": entry.actor__username,
                **{name: getattr(entry, name) for name in names},
                "client_address": entry.client_address,
                "actor_name": entry.actor_name,
                "seal": seal if entry.seal__position is not None else None,
            }
        )


def moment(at: Any) -> str:
    """A time as the chain has it: `2026-11-21T10:02:03.000004Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _said(wanted: AuditFilter) -> str:
    return "; ".join(f"{name} {value}" for name, value in wanted.pairs) or "all"


def _cells(entry: Any) -> list[Any]:
    found = {
        "at": moment(entry.at),
        "who": entry.actor__username or "",
        "before": _json(entry.before),
        "after": _json(entry.after),
        "client_address": entry.client_address or "",
        "position": entry.seal__position,
        "hash": entry.seal__hash or "",
    }
    return [found[name] if name in found else getattr(entry, name) for name in COLUMNS]


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
