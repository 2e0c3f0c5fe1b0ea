"""The main navigation: each app adds its own entries, so that none has to know another."""

from dataclasses import dataclass

from django.urls import reverse

GROUPS = ("Build", "Deploy", "Monitor", "Settings")


@dataclass(frozen=True)
class Entry:
    """One entry: its group, label, icon, the name of its page, and the permission (a word) that shows it."""

    group: str
    label: str
    icon: str
    page: str
    permission: str = "read"

    @property
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
