"""Imports histories: a folder with history.json and one file per step becomes an agent with one version per step."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from agentversions.core.importing.history import INDEX, History, read_history
from agentversions.core.reading import InvalidConfiguration
from agentversions.management.people import add_actor_argument, find_actor
from agentversions.services.errors import Refused
from agentversions.services.importing import import_history


class Command(BaseCommand):
    """Import each folder; again goes on where it stopped."""

    help = "Imports histories of prompts or configurations: one version per step, with its date and subject."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folders, where to file the agents, and in whose name."""
        parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
        parser.add_argument("--folder", default="", help="where to file the agents")
        add_actor_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import folder by folder, each in one transaction."""
        actor, refused = find_actor(options["actor"]), 0
        for path in options["folders"]:
            try:
                history = _read(path)
                agent, new = import_history(
                    slug=slugify(history.name)[:100] or "history",
                    steps=history.steps,
                    folder=options["folder"],
                    actor=actor,
                )
            except (InvalidConfiguration, Refused, OSError) as error:
                refused += 1
                self.stderr.write(f"{path}: {error}")
            else:
                self.stdout.write(f"{path}: {new} of {len(history.steps)} versions are new → /agents/{agent.slug}/")
        if refused:
            raise CommandError(
                f"{refused} of {len(options['folders'])} could not be imported; the lines above say why."
            )


def _read(folder: Path) -> History:
    return read_history((folder / INDEX).read_bytes(), lambda name: (folder / name).read_bytes())
