"""Who is the author of a commit's version."""

from collections.abc import Iterable

from django.db.models.functions import Lower

from agentversions.core.git.objects import Commit
from agentversions.core.version_words import storable
from agentversions.models import User


class Authors:
    """The one active person with the commit's e-mail, else who set the sync; asked for once for many commits."""

    def __init__(self, otherwise: User, commits: Iterable[Commit]) -> None:
        emails = {storable(commit.email).lower() for commit in commits if commit.email}
        self._otherwise = otherwise
        self._people: dict[str, list[User]] = {}
        people = User.objects.annotate(address=Lower("email")).filter(is_active=True, address__in=emails)
        for person in people:
            self._people.setdefault(person.email.lower(), []).append(person)

    def of(self, commit: Commit) -> User:
        """The author; where two people have the address, neither is meant for sure."""
        people = self._people.get(commit.email.lower(), [])
        return people[0] if len(people) == 1 else self._otherwise
