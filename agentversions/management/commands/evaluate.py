"""`manage.py evaluate`: runs suites against a version, or what a pull request would merge, and asks the gate."""

import os
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentversions.core.evaluations.report import plain, report_lines, report_markdown
from agentversions.core.git.addresses import folder_error
from agentversions.management.evaluating import FAILED, Here, Moment, Place, There, Wanted
from agentversions.management.people import add_actor_argument, find_actor
from agentversions.services.errors import Refused
from agentversions.services.evaluations.checking import Limits
from agentversions.services.git.planning import plan_change

WIDTH = 30
TOKEN = "AGENT_VERSIONS_TOKEN"  # noqa: S105  (the variable's name)


class Command(BaseCommand):
    """Run suites; exit code 0: they ran (and the gate is open), 1: the gate is shut, 2: something could not be run."""

    help = (
        "Runs evaluation suites: SUITE AGENT@VERSION, or --changed BASE HEAD for each agent that a merge would change. "
        "Exit code 0: they ran (with --gate: and the gate is open); 1: the gate is shut; 2: something could not be run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to run against what, where, and the limits."""
        parser.add_argument("suite", nargs="?", help="the suite's slug; with --changed: those that the agent requires")
        parser.add_argument("target", nargs="?", metavar="AGENT@VERSION", help="clinic@3, clinic@draft or clinic@live")
        git = parser.add_argument_group("what a pull request would merge")
        git.add_argument("--changed", nargs=2, metavar=("BASE", "HEAD"), help="two commits, as origin/main HEAD")
        git.add_argument("--repository", type=Path, default=Path(), help="default: the current folder")
        git.add_argument("--folder", default="", help="where the agents are in it; default: the top")
        parser.add_argument(
            "--server", metavar="URL", help=f"work over its HTTP API, with the token in {TOKEN}; without: the database"
        )
        parser.add_argument(
            "--wait", type=float, default=3600.0, metavar="SECONDS", help="for the server's runs (3600)"
        )
        parser.add_argument("--format", choices=("text", "markdown"), default="text", help="of the report")
        parser.add_argument("--environment", default="production", help="whose endpoints answer (production)")
        parser.add_argument("--concurrency", type=int, default=5, help="questions in flight (5)")
        parser.add_argument("--max-calls", type=int, help="stop each run after so many paid calls")
        parser.add_argument("--max-cost", help="stop each run after so much money, in the currency of the prices")
        parser.add_argument("--fresh", action="store_true", help="take no kept answers")
        parser.add_argument("--gate", action="store_true", help="decide as the gate does, beside the live version")
        parser.add_argument(
            "--tolerance", type=float, help="points below live that the gate tolerates (default: as the agent's rules)"
        )
        add_actor_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run everything, print a report of each agent, end with what the gate says."""
        place = self._place(options)
        findings, is_markdown = [], options["format"] == "markdown"
        try:
            for wanted in self._wanted(options):
                report = place.evaluate(wanted, lambda moment: self._say(moment, is_markdown=is_markdown))
                if report is None:
                    self._note(f"{wanted.agent}: a new agent; its suites run after the merge.", is_markdown)
                elif not report.suites:
                    self._note(f"{wanted.agent}: no suite is required of it.", is_markdown)
                else:
                    lines = report_markdown(report, place.address) if is_markdown else report_lines(report)
                    self.stdout.write("\n".join(lines))
                    findings += [report.words] if not report.is_open else []
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=FAILED) from refusal
        if options["gate"]:
            if findings:
                raise CommandError(f"The gate is shut. {' '.join(findings)}", returncode=1)
            self._note("The gate is open.", is_markdown)

    def _place(self, options: dict[str, Any]) -> Place:
        if not options["server"]:
            return Here(lambda: find_actor(options["actor"]))
        token = os.environ.get(TOKEN, "")
        if not token:
            raise CommandError(f"Put an API token with the scope “write” into {TOKEN}.", returncode=FAILED)
        return There(options["server"], token, options["wait"])

    def _wanted(self, options: dict[str, Any]) -> Iterator[Wanted]:
        """What to evaluate, in order."""
        limits = Limits(
            environment=options["environment"],
            concurrency=options["concurrency"],
            max_calls=options["max_calls"],
            max_cost=_money(options["max_cost"]),
            is_fresh=options["fresh"],
        )
        tolerance = None if options["tolerance"] is None else options["tolerance"] / 100
        suites = (options["suite"],) if options["suite"] else None
        shared: dict[str, Any] = {
            "suites": suites,
            "with_live": options["gate"],
            "tolerance": tolerance,
            "limits": limits,
        }
        if options["changed"]:
            if options["target"]:
                raise CommandError("Name a version or --changed, one of the two.", returncode=FAILED)
            yield from _changed(options, shared)
        elif suites and options["target"]:
            slug, _, which = options["target"].partition("@")
            number = which.removeprefix("V") or "draft"
            if number not in ("draft", "live") and not (number.isascii() and number.isdecimal()):
                raise CommandError(
                    f"Write a version's number, draft or live after the @, not “{which}”.", returncode=FAILED
                )
            yield Wanted(slug, target=number, **shared)
        else:
            raise CommandError(
                "Name a suite and AGENT@VERSION, or --changed BASE HEAD for what a merge would change.",
                returncode=FAILED,
            )

    def _say(self, moment: Moment, *, is_markdown: bool) -> None:
        """The progress; on the error output where the report is for a file."""
        stream = self.stderr if is_markdown else self.stdout
        done = sum(moment.counts.values())
        bar = "█" * (done * WIDTH // max(1, moment.cases))
        start = "\r" if sys.stdout.isatty() and not is_markdown else ""
        words = ", ".join(f"{count:,} {name}" for name, count in moment.counts.items() if count)
        line = f"{start}run {moment.run} {bar:░<{WIDTH}} {done:,} of {moment.cases:,}  {words}"
        ends = start and done < moment.cases
        stream.write(line, ending="" if ends else "\n")
        stream.flush()

    def _note(self, words: str, is_markdown: bool) -> None:
        self.stdout.write(f"{plain(words)}\n" if is_markdown else words)


def _changed(options: dict[str, Any], shared: dict[str, Any]) -> Iterator[Wanted]:
    """Every agent whose configuration a merge would change."""
    folder = options["folder"].strip("/")
    if refusal := folder_error(folder):
        raise CommandError(refusal, returncode=FAILED)
    base, head = options["changed"]
    plan = plan_change(repository=options["repository"], base=base, head=head, folder=folder)
    invalid = [agent for agent in plan.agents if agent.kind == "invalid"]
    if invalid:
        raise CommandError(" ".join(agent.problem for agent in invalid), returncode=FAILED)
    for agent in plan.agents:
        if agent.after is not None:
            yield Wanted(agent.was or agent.folder, content=agent.after, commit=plan.head, **shared)


def _money(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"Write --max-cost as a number such as 2.50, not “{text}”.", returncode=FAILED) from error
