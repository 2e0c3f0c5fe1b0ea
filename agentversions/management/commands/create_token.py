"""`manage.py create_token NAME --role editor --scopes read,write`: makes a token and prints it, once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agentversions.models import User
from agentversions.services.errors import Refused
from agentversions.services.tokens import make_token


class Command(BaseCommand):
    """Make a token for a machine. Whoever may run commands on this machine may act as an admin."""

    help = "Makes an API token and prints it, once. Only its SHA-256 is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the token is called, may do, and for whom it acts."""
        parser.add_argument("name", help="what uses it, for example “nightly export”")
        parser.add_argument(
            "--role", action="append", required=True, help="viewer, editor, operator, approver or admin"
        )
        parser.add_argument("--scopes", required=True, help="read,write or read")
        parser.add_argument("--owner", help="username; default: the first superuser")
        parser.add_argument("--days", type=int, help="expires after so many days; default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token in the name of an admin and print it alone on its line."""
        owner = _person(options["owner"])
        days = options["days"]
        try:
            made = make_token(
                name=options["name"],
                roles=options["role"],
                scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
                expires_at=timezone.now() + timedelta(days=days) if days is not None else None,
                owner=owner,
                actor=_person(None),
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stderr.write("Copy the token now; it is not shown again.")
        self.stdout.write(made.secret)


def _person(username: str | None) -> User:
    people = User.objects.filter(is_active=True)
    person = people.filter(username=username).first() if username else people.filter(is_superuser=True).first()
    if person is None:
        raise CommandError(
            f"There is no active person “{username}”."
            if username
            else "Make a superuser first: manage.py createsuperuser."
        )
    return person
