"""Lists of callers as people paste them: one per line, in any form; every line that is none is named."""

from dataclasses import dataclass

from .phone_numbers import LONGEST_CALLER, NotANumber, is_withheld, read_caller, read_number

MOST_CALLERS = 50_000


@dataclass(frozen=True)
class BadLine:
    """A line (from 1) that names no caller, and a sentence that says why."""

    line: int
    text: str
    words: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.words}"


@dataclass(frozen=True)
class CallerList:
    """The callers of a text, each once and in order; the lines that name none; and how many lines named one again."""

    callers: tuple[str, ...]
    bad: tuple[BadLine, ...]
    repeated: int


class _NoCaller(ValueError):
    """A line that names no caller; the message says why."""


def read_callers(text: str, region: str | None, *, are_numbers: bool = True) -> CallerList:
    """The callers of a pasted text; national forms are read in the region (`FR`). Empty lines are passed over.

    `are_numbers` is False for lists of chat users' ids: then whatever is no phone number is taken as it is.
    """
    found: dict[str, None] = {}
    bad: list[BadLine] = []
    repeated = 0
    for number, line in enumerate(text.splitlines(), 1):
        shown = line.strip().strip(",;").strip().strip("\"'").strip()
        if not shown:
            continue
        try:
            caller = _read_line(shown, region, are_numbers)
        except _NoCaller as error:
            bad.append(BadLine(number, shown[:80], str(error)))
            continue
        repeated += caller in found
        if len(found) == MOST_CALLERS and caller not in found:
            words = f"A list holds at most {MOST_CALLERS:,} callers. Leave out this line and what follows."
            bad.append(BadLine(number, shown[:80], words))
            break
        found[caller] = None
    return CallerList(tuple(found), tuple(bad), repeated)


def _read_line(text: str, region: str | None, are_numbers: bool) -> str:
    short = text[:40]
    if is_withheld(text):
        raise _NoCaller(f"“{short}” stands for a withheld number, and nobody can be told by it. Remove the line.")
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_CALLER:
        raise _NoCaller(f"“{short}…” has more than {LONGEST_CALLER} bytes.")
    is_address = text.casefold().startswith(("sip:", "sips:", "tel:"))
    if are_numbers and not is_address:
        if any(mark in text for mark in ",;\t"):
            raise _NoCaller(f"“{short}” seems to hold more than one thing. Write one caller per line.")
        # The library passes over stray letters, and a typo would become another number.
        if any(letter.isalpha() for letter in text):
            raise _NoCaller(f"“{short}” has letters in it. Write the number like +33 1 98 76 54 32.")
    caller = read_caller(text, region)
    if caller.is_number or not are_numbers:
        assert caller.unit is not None
        return caller.unit
    try:
        return read_number(caller.unit or text, region)
    except NotANumber as error:
        raise _NoCaller(str(error)) from error
