"""`manage.py git_plan BASE HEAD`: what merging a pull request would change. Needs the repository, and no database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agentversions.core.git.addresses import folder_error
from agentversions.management.plans import print_plan
from agentversions.services.errors import Refused
from agentversions.services.git.planning import plan_change


class Command(BaseCommand):
    """Plan; exit code 0: every folder can be read, 1: one cannot, 2 (with --exit-code): something would change."""

    help = "Says what merging HEAD into BASE would change: agents, versions and differences in words."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two commits, and where the repository and the agents in it are."""
        parser.add_argument("base", help="the branch that is followed, such as origin/main")
        parser.add_argument("head", help="what would be merged, such as HEAD")
        parser.add_argument("--repository", type=Path, default=Path(), help="default: the current folder")
        parser.add_argument("--folder", default="", help="where the agents are in it; default: the top")
        parser.add_argument("--exit-code", action="store_true", help="2 when something would change")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read both sides and print the plan."""
        folder = options["folder"].strip("/")
        if refusal := folder_error(folder):
            raise CommandError(refusal)
        try:
            plan = plan_change(
                repository=options["repository"], base=options["base"], head=options["head"], folder=folder
            )
        except Refused as error:
            raise CommandError(str(error)) from error
        print_plan(self, plan, is_json=options["json"], exit_code=options["exit_code"])
