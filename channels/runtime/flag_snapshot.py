"""All flags that count, as one value of a worker's memory: never changed, only replaced whole by a newer one."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from channels.core.flag_sets import FlagInForce, FlagSet
from channels.core.flags import read_flag

from .notes import FlagNotes

Row = Sequence[Any]
"""Key, number of the newest revision, its canonical JSON, whether it is archived."""


@dataclass(frozen=True)
class FlagSnapshot:
    """Every flag that is not archived, by its key, as it stood at one moment."""

    by_key: Mapping[str, FlagInForce]
    _notes: FlagNotes = field(repr=False, compare=False)
    _sets: dict[str, FlagSet] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def etag(self) -> str:
        """The same exactly when keys and revisions are: in every worker, on every instance, also after a restart."""
        lines = "\n".join(f"{key} {each.revision}" for key, each in sorted(self.by_key.items()))
        return hashlib.sha256(lines.encode()).hexdigest()[:32]

    def of(self, agent: str) -> FlagSet:
        """The flags of an agent (its slug) with those of all agents, compiled when they are first asked for."""
        found = self._sets.get(agent)
        if found is None:
            mine = [each for _, each in sorted(self.by_key.items()) if each.flag.agent in ("", agent)]
            found = self._sets[agent] = FlagSet(tuple(mine))
            for key, words in found.troubles.items():
                self._notes.note(key, words)
        return found


def snapshot_of(rows: Iterable[Row], notes: FlagNotes, before: FlagSnapshot | None = None) -> FlagSnapshot:
    """The flags of these rows; with `before`, what it had with these keys read anew.

    A revision that cannot be read (a newer release wrote it) is left out and noted: no call fails for a flag.
    """
    known = dict(before.by_key) if before else {}
    for key, revision, body, is_archived in rows:
        known.pop(key, None)
        if is_archived:
            continue
        try:
            known[key] = FlagInForce(read_flag(body), revision)
        except (ValueError, KeyError, TypeError) as error:
            notes.note(key, f"revision {revision} cannot be read ({error})")
    return FlagSnapshot(known, notes)
