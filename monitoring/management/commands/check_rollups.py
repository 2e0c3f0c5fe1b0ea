"""Checks that the figures equal the calls; exit code 1, and a line for each difference, when they do not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.services.checking import find_differences


class Command(BaseCommand):
    """Count everything anew and compare."""

    help = "Counts all calls anew and compares them with the figures by hour, cost and duration."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say each difference, or that there is none."""
        differences = find_differences()
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError(f"{len(differences)} rows of the figures differ from the calls.")
        self.stdout.write("All figures equal the calls.")
