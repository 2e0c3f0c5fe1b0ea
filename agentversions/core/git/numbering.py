"""Decides by digest alone whether what a commit holds is a new version, one that was published here, or nothing new."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Numbered:
    """A digest's place among the versions of its agent: `new`, `met` (published here before, now in git) or `same`."""

    kind: Literal["new", "met", "same"]
    number: int


class Numbering:
    """The versions of one agent in order, as commits are laid beside them.

    `linked` is the newest version that git knows (0: none); `digests` are those of the versions from it on, by number.
    A commit that holds what was published here after it is that version on its way through git, not another one.
    """

    def __init__(self, linked: int, digests: dict[int, str]) -> None:
        self.linked, self.digests = linked, dict(digests)

    @property
    def last(self) -> int:
        """The newest version's number, 0 before the first."""
        return max(self.digests, default=self.linked)

    def take(self, digest: str) -> Numbered:
        """Lay a commit's digest beside the versions."""
        if self.linked and self.digests.get(self.linked) == digest:
            return Numbered("same", self.linked)
        waiting = sorted(number for number, known in self.digests.items() if number > self.linked and known == digest)
        if waiting:
            self.linked = waiting[0]
            return Numbered("met", waiting[0])
        number = self.last + 1
        self.digests[number] = digest
        self.linked = number
        return Numbered("new", number)
