"""The words of a version: what its name may be, a nudge towards a name that says something, a suggested description."""

import re

from .changes import Change, Comparison

NAME_LIMIT = 200
DESCRIPTION_LIMIT = 10_000
SUGGESTED_CHANGES = 8

NUMBER_ONLY = re.compile(r"(?:v|ver|version|rev|revision|release|nr|no|#)*[\s.]*[\d\s.,:/_-]+", re.IGNORECASE)
KEYBOARD_ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "yxcvbnm", "zxcvbnm")
FILLER_WORDS = """
a again and another attempt backup bar baz blah bug change changed changes commit copy draft edit edits final fix fixed
fixes foo improved improvement improvements latest minor misc my name new newest next now ok old prompt publish
published release save saved small some stuff temp test tested testing tests thing things tmp todo tweak tweaks untitled
update updated updates v various ver version wip work x xx xxx
"""
FILLER = frozenset(FILLER_WORDS.split())
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """A text from outside without what PostgreSQL cannot store."""
    return UNSTORABLE.sub("�", text)


def one_line(name: str) -> str:
    """A name as it is stored: without line breaks, doubled spaces or spaces around it."""
    return " ".join(name.split())


def name_error(name: str) -> str:
    """Why a version cannot have this name, in a sentence; empty when it can."""
    if not one_line(name):
        return "Give the version a name that says what changed."
    if UNSTORABLE.search(name):
        return "The name holds a character that cannot be stored. Type it again instead of pasting it."
    if len(one_line(name)) > NAME_LIMIT:
        return f"The name is longer than {NAME_LIMIT} characters. Put the details into the description."
    return ""


def description_error(description: str) -> str:
    """Why a version cannot have this description, in a sentence; empty when it can."""
    if UNSTORABLE.search(description):
        return "The description holds a character that cannot be stored. Type it again instead of pasting it."
    if len(description.strip()) > DESCRIPTION_LIMIT:
        return f"The description is longer than {DESCRIPTION_LIMIT:,} characters. Shorten it."
    return ""


def name_nudge(name: str) -> str:
    """A gentle sentence for a name that tells nobody anything (`V2`, `test`, `update`, `asdf`); empty for any other."""
    title = one_line(name)
    if not title or not title.isascii():
        return ""
    if NUMBER_ONLY.fullmatch(title):
        return "The version gets its number anyway. Say what changed, so that nobody has to open it to know."
    words = re.findall(r"[a-z]+", title.lower())
    if len(title) < 3 or not words or all(word in FILLER or _is_keyboard_play(word) for word in words):
        return f"“{title}” does not say what changed. Whoever looks for it in a month will have to open it."
    return ""


def _is_keyboard_play(word: str) -> bool:
    """One letter again and again, or neighbours on the keyboard (also repeated: `asdfasdf`)."""
    if len(word) < 3:
        return False
    if len(set(word)) == 1:
        return True
    pieces = {word[start : start + 4] for start in range(0, len(word), 4)}
    return all(any(piece in row or piece[::-1] in row for row in KEYBOARD_ROWS) for piece in pieces)


def suggested_description(comparison: Comparison | None) -> str:
    """A description made from what changed, for the publisher to correct; the first version has nothing to compare."""
    if comparison is None:
        return "First version."
    said = [say_in_line(change) for change in comparison.changes[:SUGGESTED_CHANGES]]
    rest = len(comparison.changes) - len(said)
    if rest:
        said.append(f"{rest} more")
    return "; ".join(said) + "." if said else ""


def say_in_line(change: Change) -> str:
    """One change inside a sentence: `System prompt +41 −27 words`, `Tool crm: timeout 20 → 30 s`."""
    return f"{change.label}{':' if change.children else ''} {change.summary}"
