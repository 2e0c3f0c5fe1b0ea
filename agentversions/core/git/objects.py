"""Git's commits and trees, read from the bytes of their objects."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

TREE, LINK, SUBMODULE = "40000", "120000", "160000"
FILES = frozenset({"100644", "100755", "100664"})
PERSON = re.compile(r"(?P<name>[^<]*)<(?P<email>[^>]*)>(?: (?P<seconds>-?[0-9]{1,12}) [-+][0-9]{4})?")


class ObjectRefused(ValueError):
    """An object that is missing, damaged or too large; the message says which."""


@dataclass(frozen=True)
class Commit:
    """One commit: its full hash, tree and parents, who wrote it and when, and its message."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    authored_at: datetime | None
    message: str

    @property
    def short(self) -> str:
        """The first ten characters of the hash."""
        return self.id[:10]

    @property
    def subject(self) -> str:
        """The first paragraph on one line, as git shows it."""
        return " ".join(self._paragraphs[0].split())

    @property
    def body(self) -> str:
        """Everything after the first paragraph."""
        return self._paragraphs[1].strip()

    @property
    def _paragraphs(self) -> tuple[str, str]:
        first, _, rest = re.sub(r"\r\n?", "\n", self.message).strip("\n").partition("\n\n")
        return first, rest


@dataclass(frozen=True)
class Entry:
    """One entry of a tree: its mode (octal, as git writes it), name and object."""

    mode: str
    name: str
    id: str


class Objects(Protocol):
    """Whoever gives the objects of a repository. Every method raises ObjectRefused."""

    def commit(self, commit: str) -> Commit:
        """The commit with this full hash."""
        ...

    def tree(self, tree: str) -> tuple[Entry, ...]:
        """The entries of a tree, in git's order."""
        ...

    def blob(self, blob: str, limit: int) -> bytes:
        """The bytes of a file, at most `limit` of them."""
        ...

    def expect(self, names: Iterable[str]) -> None:
        """These objects are asked for next: whoever reads them from afar may fetch them together."""
        ...


def parse_commit(commit: str, content: bytes) -> Commit:
    """The commit of an object's bytes; texts in another encoding than UTF-8 are read by what the commit declares."""
    head, _, message = content.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        fields.setdefault(name.decode("ascii", "replace"), []).append(value)
    encoding = fields.get("encoding", [b"utf-8"])[0].decode("ascii", "replace")
    person = PERSON.match(_text(fields.get("author", [b""])[0], encoding))
    trees = fields.get("tree", [])
    if not trees:
        raise ObjectRefused(f"The commit {commit[:10]} is damaged: it names no tree.")
    return Commit(
        id=commit,
        tree=trees[0].decode("ascii", "replace"),
        parents=tuple(parent.decode("ascii", "replace") for parent in fields.get("parent", [])),
        author=person["name"].strip() if person else "",
        email=person["email"].strip() if person else "",
        authored_at=_moment(person["seconds"]) if person else None,
        message=_text(message, encoding),
    )


def parse_tree(content: bytes, *, hash_size: int) -> tuple[Entry, ...]:
    """The entries of a tree's bytes; `hash_size` is 20 bytes for SHA-1 repositories, 32 for SHA-256."""
    entries, position = [], 0
    while position < len(content):
        space = content.find(b" ", position)
        end = content.find(b"\x00", space)
        after = end + 1 + hash_size
        if space < 0 or end < 0 or after > len(content):
            raise ObjectRefused("A folder of the repository is damaged.")
        mode, name = content[position:space].decode("ascii", "replace"), content[space + 1 : end]
        entries.append(Entry(mode.lstrip("0"), name.decode("utf-8", "surrogateescape"), content[end + 1 : after].hex()))
        position = after
    return tuple(entries)


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding, "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _moment(seconds: str | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None
