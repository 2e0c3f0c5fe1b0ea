"""Imports calls from files; what was imported before changes nothing, so that an import can be started again."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.services.importing import Batch, FileImport, find_progress, import_file

MOST_PROBLEMS = 50
SAY_EVERY = 10.0
"""Seconds between two lines about the progress where nobody watches a terminal."""


class Command(BaseCommand):
    """Read files of calls."""

    help = "Imports call records from JSON, NDJSON, CSV and Parquet files. Repeating an import changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Files, and what they do not say themselves."""
        parser.add_argument("files", nargs="+", type=Path)
        parser.add_argument("--agent", help="the agent that handled these calls (its address)")
        parser.add_argument("--agent-version", type=int, help="its version; 0 is the draft")
        parser.add_argument("--time-zone", default="UTC", help="of times that have none (UTC)")
        parser.add_argument("--resume", action="store_true", help="go on where an import of the same file was stopped")
        parser.add_argument("--errors", type=Path, metavar="FILE", help="also write every refused line to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each file; lines that cannot be taken are named, and the exit code is 1."""
        records = refused = 0
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"There is no time zone “{options['time_zone']}”. Write one like Europe/Paris.")
        with ExitStack() as stack:
            errors = None
            if options["errors"]:
                try:
                    errors = stack.enter_context(options["errors"].open("w", encoding="utf-8"))
                except OSError as error:
                    raise CommandError(f"{options['errors']} cannot be written: {error.strerror}.") from error
            for path in options["files"]:
                try:
                    seen, bad = self._import(path, errors, options)
                except (OSError, ValueError) as error:
                    raise CommandError(f"{path}: {error}") from error
                records, refused = records + seen, refused + bad
        if refused:
            raise CommandError(f"{records - refused:,} records were imported, {refused:,} refused.")

    def _import(self, path: Path, errors: TextIO | None, options: dict[str, Any]) -> tuple[int, int]:
        stated = {"agent": options["agent"], "version": options["agent_version"]}
        file = FileImport(
            path, options["time_zone"], {name: value for name, value in stated.items() if value is not None}
        )
        before = find_progress(file) if options["resume"] else None
        if before is not None:
            words = "was imported whole" if before.is_done else f"goes on after {before.records:,} records"
            self.stdout.write(f"{path.name} {words}.")
        seen = bad = 0
        progress = _Progress(self.stderr, path.name)
        for batch in import_file(file=file, is_resumed=options["resume"]):
            seen += batch.records
            for problem in batch.problems:
                bad += 1
                if bad <= MOST_PROBLEMS:
                    progress.clear()
                    self.stdout.write(f"  {problem}")
                if errors is not None:
                    errors.write(f"{path.name}:{problem}\n")
            progress.say(batch, seen)
        progress.clear()
        if bad > MOST_PROBLEMS:
            self.stdout.write(f"  and {bad - MOST_PROBLEMS:,} more; --errors FILE writes them all.")
        self.stdout.write(f"{path.name}: {seen:,} records, {bad} refused.")
        return seen, bad


class _Progress:
    """A bar on a terminal; elsewhere a line every few seconds."""

    WIDTH = 30

    def __init__(self, out: Any, name: str) -> None:
        self._out, self._name = out, name
        self._is_terminal = sys.stderr.isatty()
        self._began = self._said = time.monotonic()

    def say(self, batch: Batch, records: int) -> None:
        """How far it is."""
        now = time.monotonic()
        words = f"{100 * batch.done:3.0f} % · {records:,} records · {records / max(now - self._began, 0.001):,.0f}/s"
        if self._is_terminal:
            full = round(self.WIDTH * batch.done)
            self._out.write(f"\r\x1b[K{self._name} {'█' * full}{'░' * (self.WIDTH - full)} {words}", ending="")
            self._out.flush()
        elif now - self._said >= SAY_EVERY:
            self._out.write(f"{self._name}: {words}")
            self._said = now

    def clear(self) -> None:
        """Take the bar away, so that a line can stand there."""
        if self._is_terminal:
            self._out.write("\r\x1b[K", ending="")
