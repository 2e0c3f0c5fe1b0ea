"""Walks the chain over the audit trail and names every row that was changed, deleted, inserted or reordered."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from .audit_chain import GENESIS, ChainedEntry, Link, hash_of

MOST_COMPARED = 200
"""So many damaged entries are compared with one another, to say which of them only changed places."""


Row = tuple[Link, ChainedEntry | None]
"""A seal with its entry, None where it is gone."""


class Harm(StrEnum):
    """What happened to a row."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    SEAL = "seal"
    CUT = "cut"


class Problem(NamedTuple):
    """What is wrong, with which entry or seal (its number, None where it has none), in a sentence."""

    harm: Harm
    entry: int | None
    position: int | None
    sentence: str


class ChainWalk:
    """One walk; afterwards it knows the head, how many seals there are, where some are missing, and who was met."""

    def __init__(self, looked_for: Iterable[str] = ()) -> None:
        self.head: Link | None = None
        self.count = 0
        self.greatest_entry = 0
        self.gaps: list[tuple[int, int]] = []
        """Between which entries (both excluded) seals are missing."""
        self.not_met = set(looked_for)
        """Hashes that were kept elsewhere and are not in the chain."""
        self._odd: list[tuple[Link, ChainedEntry]] = []

    def problems(self, rows: Iterable[Row]) -> Iterator[Problem]:
        """The problems of seals in order of their positions, each with its entry; those of single entries come last."""
        for row, following in _with_next(rows):
            link, entry = row
            yield from self._follow(link)
            if entry is None:
                words = f"Entry {link.entry} (seal {link.position}) was deleted."
                yield Problem(Harm.DELETED, link.entry, link.position, words)
            else:
                yield from self._judge(link, entry, following)
            self._see(link)
        yield from (_in_words(link, entry, self._odd) for link, entry in self._odd)

    def _follow(self, link: Link) -> Iterator[Problem]:
        """Whether a seal stands where it should."""
        last, entry = (self.head.position, self.head.entry) if self.head is not None else (0, 0)
        if link.position != last + 1:
            first, until = last + 1, link.position - 1
            words = f"Seal {first} is missing." if first == until else f"Seals {first} to {until} are missing."
            yield Problem(Harm.SEAL, None, first, words)
            self.gaps.append((entry, link.entry))
        if link.entry <= entry:
            words = f"Seal {link.position} is of entry {link.entry}, the one before of {entry}: they were reordered."
            yield Problem(Harm.REORDERED, link.entry, link.position, words)

    def _judge(self, link: Link, entry: ChainedEntry, following: Row | None) -> Iterator[Problem]:
        """Whether an entry is what its seal says; the seals beside it tell which of the two was touched."""
        actual = hash_of(entry, position=link.position, previous=link.previous)
        said_next = following[0].previous if following and following[0].position == link.position + 1 else None
        if actual == link.hash:
            # Only where the next one is right in itself: else it is the one that was touched.
            if following and said_next not in {None, link.hash} and _fits(following, following[0].previous):
                words = f"Entry {link.entry} (seal {link.position}) was changed and sealed anew."
                yield Problem(Harm.CHANGED, link.entry, link.position, words)
        elif said_next == actual or self._was_joined(link, entry):
            words = f"Seal {link.position} (entry {link.entry}) was altered."
            yield Problem(Harm.SEAL, link.entry, link.position, words)
        elif len(self._odd) < MOST_COMPARED:
            self._odd.append((link, entry))
        else:
            yield _in_words(link, entry, [])

    def _was_joined(self, link: Link, entry: ChainedEntry) -> bool:
        """Whether a seal is right but for the hash that it says it follows."""
        is_next = link.position == (self.head.position + 1 if self.head is not None else 1)
        return is_next and _fits((link, entry), self.head.hash if self.head is not None else GENESIS)

    def _see(self, link: Link) -> None:
        self.head = link
        self.count += 1
        self.greatest_entry = max(self.greatest_entry, link.entry)
        self.not_met.discard(link.hash)


def say_unsealed(numbers: Iterable[int], gaps: list[tuple[int, int]]) -> Iterator[Problem]:
    """Entries without a seal below sealed ones: inserted, unless a seal is missing where theirs would be."""
    for number in numbers:
        if any(low < number < high for low, high in gaps):
            yield Problem(Harm.SEAL, number, None, f"Entry {number} has lost its seal.")
        else:
            words = f"Entry {number} was inserted: it has no seal and greater numbers do."
            yield Problem(Harm.INSERTED, number, None, words)


def say_cut(hashes: Iterable[str]) -> Iterator[Problem]:
    """Heads that were kept and are not in the chain."""
    for each in sorted(hashes):
        words = f"The head {each} is not in the chain: its end was cut off, or what came before was rewritten."
        yield Problem(Harm.CUT, None, None, words)


def _with_next(rows: Iterable[Row]) -> Iterator[tuple[Row, Row | None]]:
    before: Row | None = None
    for row in rows:
        if before is not None:
            yield before, row
        before = row
    if before is not None:
        yield before, None


def _fits(row: Row | None, previous: str) -> bool:
    """Whether an entry has its seal's hash after another previous one."""
    if row is None or row[1] is None:
        return False
    return hash_of(row[1], position=row[0].position, previous=previous) == row[0].hash


def _in_words(link: Link, entry: ChainedEntry, odd: list[tuple[Link, ChainedEntry]]) -> Problem:
    """A damaged entry: another one's content stands there, its seal is another's, or it was simply changed."""

    def is_sealed(found: ChainedEntry, position: int) -> bool:
        return hash_of(found, position=position, previous=link.previous) == link.hash

    for at, other in odd:
        if other is not entry and (
            is_sealed(other, link.position)
            or is_sealed(other._replace(id=link.entry), link.position)
            or is_sealed(entry, at.position)
        ):
            words = f"Entries {link.entry} and {other.id} (seals {link.position} and {at.position}) were reordered."
            return Problem(Harm.REORDERED, link.entry, link.position, words)
    return Problem(Harm.CHANGED, link.entry, link.position, f"Entry {link.entry} (seal {link.position}) was changed.")
