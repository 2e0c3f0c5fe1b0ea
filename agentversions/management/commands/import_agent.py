"""Imports agents from files: our own exports, portable folders, and the formats of other platforms."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentversions.core.exchange import read_agent
from agentversions.core.importing import Imported, read_import
from agentversions.core.importing.own import read_files
from agentversions.core.reading import InvalidConfiguration
from agentversions.management.people import add_actor_argument, find_actor
from agentversions.models import User
from agentversions.services.errors import Refused
from agentversions.services.importing import import_agent_copy, import_new_agent


class Command(BaseCommand):
    """Import each file as a new agent; a file that cannot be read does not keep the others from it."""

    help = "Imports agents from files or portable folders, whatever platform they come from."

    def add_arguments(self, parser: CommandParser) -> None:
        """The files, the folder to file the agents in, and in whose name."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--folder", default=None, help="where to file the agents, such as Support/Billing")
        add_actor_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, say what was recognised, what was not mapped and which secrets are needed."""
        actor, refused = find_actor(options["actor"]), 0
        for path in options["files"]:
            try:
                self._import(path, options["folder"], actor)
            except (InvalidConfiguration, Refused, OSError) as error:
                refused += 1
                self.stderr.write(f"{path}: {error}")
        if refused:
            raise CommandError(f"{refused} of {len(options['files'])} could not be imported; the lines above say why.")

    def _import(self, path: Path, folder: str | None, actor: User) -> None:
        if path.is_dir():
            files = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
            self._create(read_files(files), path, folder, actor)
            return
        content = path.read_bytes()
        copy = read_agent(content)
        if copy is None:
            self._create(read_import(path.name, content), path, folder, actor)
            return
        agent = import_agent_copy(copy=copy, folder=folder, actor=actor)
        self.stdout.write(f"{path}: agent with {len(copy.versions)} versions → /agents/{agent.slug}/")

    def _create(self, imported: Imported, path: Path, folder: str | None, actor: User) -> None:
        agent = import_new_agent(content=imported.configuration, source=path.name, folder=folder or "", actor=actor)
        self.stdout.write(f"{path}: {imported.format} → /agents/{agent.slug}/")
        for label, entries in (
            ("kept under the extensions", imported.unmapped),
            ("secret to give the platform", imported.secrets),
            ("note", imported.warnings),
        ):
            for entry in entries:
                self.stdout.write(f"  {label}: {entry}")
