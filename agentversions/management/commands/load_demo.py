"""Loads the demo: agents with histories, libraries, and people to sign in with."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agentversions.demo.loading import load_demo, make_password
from agentversions.demo.stories import read_people


class Command(BaseCommand):
    """Load the demo once; again changes nothing."""

    help = "Loads the demo: agents with their histories, libraries, and people to sign in with (printed once)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse a database of your own: demo sign-ins belong on a trial, never beside real people."""
        if not settings.USES_EMBEDDED_POSTGRES:
            raise CommandError(
                "The demo creates sign-ins, so it is only loaded into the embedded PostgreSQL. "
                "DATABASE_URL is set: create your first person with `manage.py createsuperuser`."
            )
        password = make_password()
        people = load_demo(password=password, now=timezone.now())
        if not people:
            self.stdout.write("The demo was loaded before. A forgotten password: `manage.py changepassword USERNAME`.")
            return
        words = {fields["username"]: fields["says"] for fields in read_people()}
        self.stdout.write("Demo sign-ins, all with the password " + self.style.SUCCESS(password))
        for person in people:
            self.stdout.write(f"  {person.email:<22} {words[person.username]}")
