"""Deletes transcripts and recordings whose time is over; workers do it every night by themselves."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from monitoring.services.retention import apply_retention, months_due


class Command(BaseCommand):
    """Say which months go, and let them go."""

    help = "Deletes transcripts and recordings of months that are over for CALL_CONTENT_DAYS days. Calls stay."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to only look."""
        parser.add_argument("--dry-run", action="store_true", help="only say which months would go")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each month."""
        done = "would be deleted" if options["dry_run"] else "deleted"
        for month in months_due() if options["dry_run"] else apply_retention():
            self.stdout.write(f"Transcripts and recordings of {month} {done}.")
        self.stdout.write(f"They are kept for {settings.CALL_CONTENT_DAYS} days after the end of their month.")
