"""Exports an agent with all its versions into a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentversions.models import Agent
from agentversions.services.exporting import export_agent


class Command(BaseCommand):
    """Export an agent; the file's ending says how: .json, or .zip."""

    help = "Exports an agent with its draft and all its versions; import_agent reads the file."

    def add_arguments(self, parser: CommandParser) -> None:
        """The agent and the file."""
        parser.add_argument("slug")
        parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="agent.zip or agent.json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, never over one that is there."""
        output: Path = options["output"]
        if output.suffix not in {".json", ".zip"}:
            raise CommandError("The output ends in .json or .zip.")
        agent = Agent.objects.with_draft().filter(slug=options["slug"]).first()
        if agent is None:
            raise CommandError(f"There is no agent “{options['slug']}”.")
        content = export_agent(agent=agent, shape="zip" if output.suffix == ".zip" else "json")
        try:
            with output.open("xb") as file:
                file.write(content)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{output}: {agent.versions.count()} versions, {len(content):,} bytes")
