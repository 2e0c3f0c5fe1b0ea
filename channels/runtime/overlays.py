"""Configurations as flags change them: worked out once per version and wish, kept up to a number of bytes."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channels.core.flag_overlay import Skipped, overlay
from channels.core.flag_sets import Wish

from .memory import Memory
from .notes import FlagNotes

logger = logging.getLogger("channels.runtime")

_BASE_SIZE = 600


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a version and a wish come to. `body` is empty where no flag changed anything: the version's own answers.

    `choices` has revision and variant of the flags that changed it, `member` their variants as JSON.
    """

    digest: str
    body: bytes
    choices: Mapping[str, tuple[int, str]]
    member: bytes
    skipped: tuple[Skipped, ...]


class Overlays:
    """Makes and keeps overlays. A key names revisions, which never change, so nothing here is ever out of date."""

    def __init__(self, limit: int, body: Callable[[str], bytes], notes: FlagNotes) -> None:
        self.kept: Memory[Overlay] = Memory(limit)
        self._body = body
        self._notes = notes

    def of(self, digest: str, wish: Wish) -> Overlay:
        """The version of this digest with what is wanted of it. Never fails for a flag: what does not fit is skipped.

        Raises Unavailable when the version itself cannot be read.
        """
        key = digest + wish.key
        found = self.kept.get(key)
        if found is None:
            found = self._make(digest, wish)
            self.kept.put(key, found, len(found.body) + len(key) + _BASE_SIZE)
        for each in found.skipped:
            self._notes.note(each.flag, each.words)
        return found

    def _make(self, digest: str, wish: Wish) -> Overlay:
        body = self._body(digest)
        try:
            made = overlay(body.decode(), wish.changes)
        except Exception as error:  # whatever it is: the caller gets the version rather than nothing
            logger.exception("The flags of %s could not be applied.", digest[:8])
            return Overlay(digest, b"", {}, b"{}", (Skipped(wish.changes[0].flag, f"it failed ({error})"),))
        choices = {key: wish.choices[key] for key in made.flags}
        member = json.dumps({key: variant for key, (_, variant) in choices.items()}, ensure_ascii=False)
        # The answer's own `"configuration":` must stay the first text of this form: clients look for it.
        member = member.replace('"configuration":', '"\\u0063onfiguration":')
        return Overlay(made.digest, made.body.encode() if made.flags else b"", choices, member.encode(), made.skipped)
