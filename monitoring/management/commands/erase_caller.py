"""Erases a caller from all calls, for good."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentversions.management.people import add_actor_argument, find_actor
from agentversions.services.errors import Refused
from monitoring.services.erasing import count_calls_of, erase_caller


class Command(BaseCommand):
    """Count, ask, erase."""

    help = "Erases a caller's number, transcripts, recordings, summaries and analyses from all calls. Figures stay."

    def add_arguments(self, parser: CommandParser) -> None:
        """The number, and whether to ask."""
        parser.add_argument("number", help="with its country: +33612345678")
        parser.add_argument("--reason", default="The caller asked for it.", help="stands in the audit log")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--dry-run", action="store_true", help="only count the calls")
        add_actor_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase, unless nobody confirms."""
        try:
            calls = count_calls_of(options["number"])
            if options["dry_run"]:
                self.stdout.write(f"{calls:,} calls would be erased.")
                return
            if not options["yes"] and not self._is_confirmed(calls):
                raise CommandError("Nothing was erased.")
            erased = erase_caller(
                number=options["number"], reason=options["reason"], actor=find_actor(options["actor"])
            )
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{erased.calls:,} calls were erased, {erased.contents:,} transcripts or recordings deleted, "
            f"{erased.corrections:,} corrections blanked."
        )

    def _is_confirmed(self, calls: int) -> bool:
        self.stdout.write(f"This erases the caller of {calls:,} calls for good. Backups keep them until they expire.")
        try:
            return input("Type yes to go on: ").strip().lower() == "yes"
        except EOFError:
            raise CommandError("There is nobody to ask. Say --yes.") from None
