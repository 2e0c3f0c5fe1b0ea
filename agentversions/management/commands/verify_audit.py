"""`manage.py verify_audit`: walks the chain over the audit trail and names every row that is not as it was sealed."""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agentversions.core.digest import DIGEST_PATTERN
from agentversions.services.audit_verification import Verified, verify_audit
from agentversions.services.sealing import Tail

BAR_WIDTH = 30
LATE_SECONDS = 60


class Command(BaseCommand):
    """Verify the audit trail; exit code 1 when a row was changed, deleted, inserted or reordered."""

    help = "Verifies the hash chain over the audit trail and prints its head, to be kept elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Heads that were kept."""
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            type=_hash,
            metavar="HASH",
            help="a head that was printed earlier: it must still be in the chain (may be given several times)",
        )

    def handle(self, *args: Any, expect: list[str], **options: Any) -> None:
        """Print each problem, the unsealed tail and the head."""
        verified = verify_audit(expected=tuple(expect), show=self._draw_bar)
        self._clear_bar()
        for problem in verified.problems:
            self.stdout.write(self.style.ERROR(problem.sentence))
        if more := verified.problem_count - len(verified.problems):
            self.stdout.write(self.style.ERROR(f"… and {more:,} more."))
        self.stdout.write(say_tail(verified.tail))
        self.stdout.write(f"Head: {verified.head} (seal {verified.position}, entry {verified.entry})")
        if not verified.is_whole:
            raise CommandError(self._broken(verified))
        self.stdout.write(f"{verified.sealed:,} sealed entries checked, the chain is whole.")

    @staticmethod
    def _broken(verified: Verified) -> str:
        problems = "1 problem" if verified.problem_count == 1 else f"{verified.problem_count:,} problems"
        return f"The chain is broken: {problems}. Compare the rows named above with a backup from before."

    def _draw_bar(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            filled = min(BAR_WIDTH, BAR_WIDTH * done // total)
            self.stderr.write(f"\r[{'#' * filled}{' ' * (BAR_WIDTH - filled)}] {done:,}", ending="")

    def _clear_bar(self) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{' ' * (BAR_WIDTH + 30)}\r", ending="")


def say_tail(tail: Tail) -> str:
    """The entries that wait for their seal, in words."""
    if not tail.waiting or tail.age is None:
        return "No entry waits for its seal."
    seconds = tail.age.total_seconds()
    count = "1 entry waits for its seal" if tail.waiting == 1 else f"{tail.waiting:,} entries wait for their seals"
    late = " Is a worker running?" if seconds > LATE_SECONDS else ""
    return f"{'At least ' if tail.is_more else ''}{count}, the oldest for {seconds:,.0f} s.{late}"


def _hash(text: str) -> str:
    found = re.fullmatch(DIGEST_PATTERN, text.strip().lower())
    if found is None:
        raise ArgumentTypeError(f"“{text}” is no hash. Write the 64 hexadecimal characters that stand after “Head:”.")
    return found[0]
