"""Prints a plan of git, and ends the command with the exit code that says what it holds."""

import json

from django.core.management.base import BaseCommand, CommandError

from agentversions.core.git.plan import Plan


def print_plan(command: BaseCommand, plan: Plan, *, is_json: bool, exit_code: bool) -> None:
    """Print as text or JSON. Raises CommandError: 1 when a folder is invalid, 2 (asked for) when anything changes."""
    if is_json:
        command.stdout.write(json.dumps(plan.document(), ensure_ascii=False, indent=2))
    else:
        for line in plan.lines():
            command.stdout.write(line)
    if not plan.is_valid:
        invalid = sum(agent.kind == "invalid" for agent in plan.agents)
        raise CommandError(f"{invalid} of the folders cannot be read; the lines above say why.", returncode=1)
    if exit_code and not plan.is_empty:
        raise CommandError("Something would change.", returncode=2)
