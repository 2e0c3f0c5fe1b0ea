"""Finds the person in whose name a command acts."""

from django.core.management.base import CommandError, CommandParser

from agentversions.core.roles import Permission
from agentversions.models import User


def add_actor_argument(parser: CommandParser) -> None:
    """Add `--actor USERNAME` to a command."""
    parser.add_argument("--actor", metavar="USERNAME", help="in whose name; without it, the first active admin")


def find_actor(username: str | None) -> User:
    """The person with this name, or the first active superuser. Raises CommandError with a sentence."""
    if username:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is nobody called “{username}”.")
        if not person.allows(Permission.EDIT):
            raise CommandError(f"“{username}” may not edit agents: give them the Editor role first.")
        return person
    person = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if person is None:
        raise CommandError("Say in whose name: --actor USERNAME (or make a first person: manage.py createsuperuser).")
    return person
