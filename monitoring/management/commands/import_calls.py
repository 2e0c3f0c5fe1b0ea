"""Imports calls from files; what was imported before changes nothing, so that an import can be started again."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.core.foreign import read_file
from monitoring.core.records import BadRecord, CallRecord, read_record
from monitoring.services.ingest import ingest

BATCH = 500
MOST_PROBLEMS = 50


class Command(BaseCommand):
    """Read files of calls."""

    help = "Imports call records from JSON, NDJSON and CSV files. Repeating an import changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Files, and what they do not say themselves."""
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--agent", help="the agent that handled these calls (its address)")
        parser.add_argument("--agent-version", type=int, help="its version; 0 is the draft")
        parser.add_argument("--time-zone", default="UTC", help="of times that have none (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each file; lines that cannot be taken are named, and the exit code is 1."""
        taken = refused = 0
        for path in options["files"]:
            records, problems = self._read(path, options)
            for at, batch in enumerate(_batches(records)):
                taken += ingest(batch, source="import")
                if sys.stderr.isatty():
                    done = min((at + 1) * BATCH, len(records))
                    self.stderr.write(f"\r{path.name}: {done:,} of {len(records):,}", ending="")
            refused += len(problems)
            self.stdout.write(f"{path.name}: {len(records):,} calls, {len(problems)} refused.")
            for problem in problems[:MOST_PROBLEMS]:
                self.stdout.write(f"  {problem}")
        if refused:
            raise CommandError(f"{taken:,} calls were imported, {refused} records refused.")

    def _read(self, path: Path, options: dict[str, Any]) -> tuple[list[CallRecord], list[str]]:
        records, problems = [], []
        stated = {"agent": options["agent"], "version": options["agent_version"]}
        try:
            found = list(read_file(path.name, path.read_bytes(), time_zone=options["time_zone"]))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from error
        for each in found:
            try:
                if each.document is None:
                    raise BadRecord(each.problem)
                more = {name: value for name, value in stated.items() if value is not None}
                records.append(read_record({**each.document, **more}))
            except BadRecord as error:
                problems.append(f"{each.place}: {error}")
        return records, problems


def _batches(records: list[CallRecord]) -> list[list[CallRecord]]:
    return [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
