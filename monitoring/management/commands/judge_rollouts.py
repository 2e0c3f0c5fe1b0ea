"""Judges the rollouts once, as the worker does every minute: for cron where no worker runs, and to see what it says."""

from typing import Any

from django.core.management.base import BaseCommand

from monitoring.services.canary_judge import judge_all


class Command(BaseCommand):
    """Judge once, and say what was said."""

    help = "Judges every rollout that is running or held, does what is due, and prints a line for each."

    def handle(self, *args: Any, **options: Any) -> None:
        """A line for each rollout; one more for a move that was refused."""
        found = judge_all()
        for judged in found:
            done = " Done." if judged.move is not None else ""
            self.stdout.write(f"Rollout {judged.rollout.pk} ({judged.rollout.plan}): {judged.words}{done}")
            if judged.refusal:
                self.stdout.write(f"  Not done: {judged.refusal}")
        if not found:
            self.stdout.write("No rollout is running.")
