"""Many calls of one version of the clinic, taken in as records of the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.core.records import read_record
from monitoring.services.ingest import ingest


def take(count: int, version: int, **fields: Any) -> None:
    """Calls of the present hour unless `started_at` is given; a callable field gets the call's place."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    documents = [
        {
            "id": f"{version}-{at}-{sorted(fields)}",
            "agent": "clinic",
            "version": version,
            "started_at": hour - timedelta(minutes=at % 50),
            **{name: value(at) if callable(value) else value for name, value in fields.items()},
        }
        for at in range(count)
    ]
    ingest([read_record(document) for document in documents], source="api")
