"""`manage.py verify_versions`: re-checks every digest, in parallel, and names every damaged row."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agentversions.services.verification import Damage, count_configurations, verify_all

BAR_WIDTH = 30


class Command(BaseCommand):
    """Verify all configurations; exit code 1 when one is damaged."""

    help = "Re-checks the digest, the canonical form and the schema of every stored configuration, in parallel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How many processes share the work."""
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per core")

    def handle(self, *args: Any, processes: int, **options: Any) -> None:
        """Check batch by batch; damage is printed as it is found."""
        total, checked, damaged = count_configurations(), 0, 0
        for progress in verify_all(processes=max(1, processes)):
            checked = progress.checked
            for damage in progress.damaged:
                damaged += 1
                self._clear_bar()
                self.stdout.write(self.style.ERROR(_in_words(damage)))
            self._draw_bar(checked, total)
        self._clear_bar()
        if damaged:
            raise CommandError(
                f"{damaged} of {checked} configurations are damaged. Restore them from a backup: make restore."
            )
        self.stdout.write(f"{checked} configurations checked, every digest is right.")

    def _draw_bar(self, checked: int, total: int) -> None:
        if self.stderr.isatty():
            filled = BAR_WIDTH * checked // max(total, 1)
            self.stderr.write(f"\r[{'#' * filled}{' ' * (BAR_WIDTH - filled)}] {checked}/{total}", ending="")

    def _clear_bar(self) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{' ' * (BAR_WIDTH + 30)}\r", ending="")


def _in_words(damage: Damage) -> str:
    used = f" Used by {', '.join(damage.versions)}." if damage.versions else " No version uses it."
    return f"{damage.digest} is damaged: {damage.message}.{used}"
