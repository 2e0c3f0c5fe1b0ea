"""The main navigation: each app adds its own entries, so that none has to know another."""

from dataclasses import dataclass
from functools import cached_property

from django.urls import reverse

GROUPS = ("Build", "Deploy", "Monitor", "Settings")


@dataclass(frozen=True)
class Entry:
    """One entry: its group, label, icon, the name of its page, and the permission (a word) that shows it.

    `badge` names a fragment that the entry loads behind its label, and again at each of `badge_events`: a number that
    is worth a look, or nothing.
    """

    group: str
    label: str
    icon: str
    page: str
    permission: str = "read"
    badge: str = ""
    badge_events: tuple[str, ...] = ()

    @cached_property
    def badge_address(self) -> str:
        """Where the badge is, empty without one."""
        return reverse(self.badge) if self.badge else ""

    @cached_property
    def badge_trigger(self) -> str:
        """When the badge is loaded: after the page, and at each of its events."""
        return ", ".join(["load delay:150ms", *(f"{event} from:body" for event in self.badge_events)])

    @cached_property
    def address(self) -> str:
        """Where the entry leads."""
        return reverse(self.page)


_entries: list[Entry] = []


def add_to_navigation(*entries: Entry) -> None:
    """Add entries, in order; called by an app when it is ready."""
    _entries.extend(entry for entry in entries if entry not in _entries)


def entries_of(group: str) -> list[Entry]:
    """The entries of one group."""
    return [entry for entry in _entries if entry.group == group]
