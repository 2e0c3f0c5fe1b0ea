"""`manage.py git_sync`: brings what was merged into the followed branch; with --plan it only says what would come."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agentversions.management.plans import print_plan
from agentversions.services.errors import Refused
from agentversions.services.git.planning import plan_sync
from agentversions.services.git.syncing import synchronise
from agentversions.services.git.writing import write_published


class Command(BaseCommand):
    """Sync now; exit code 1 when the repository cannot be read or a folder is invalid."""

    help = "Brings versions from the followed git branch, and writes what was published here to its own branch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether only to plan, and as what."""
        parser.add_argument("--plan", action="store_true", help="say what would change; change nothing")
        parser.add_argument("--exit-code", action="store_true", help="with --plan: 2 when something would change")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan or sync, and say what happened."""
        try:
            if options["plan"]:
                print_plan(self, plan_sync(), is_json=options["json"], exit_code=options["exit_code"])
                return
            outcome = synchronise(trigger="command")
            written = write_published()
        except Refused as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = {
                "head": outcome.head,
                "commits": outcome.commits,
                "versions": outcome.versions,
                "agents": outcome.agents,
                "written": written,
                "problems": list(outcome.problems),
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(
                f"{outcome.head[:10]}: {outcome.commits} commits read, {outcome.versions} new versions, "
                f"{outcome.agents} new agents, {written} versions written."
            )
            for problem in outcome.problems:
                self.stderr.write(problem)
        if outcome.problems:
            raise CommandError(f"{len(outcome.problems)} folders could not be read; all others are synced.")
