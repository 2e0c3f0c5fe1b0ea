"""Phone numbers: any way of writing one becomes E.164; withheld callers are recognised."""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

LONGEST_CALLER = 1024
"""Bytes of UTF-8."""

# How carriers write "no number": words, and the pseudo-numbers that spell ANONYMOUS, RESTRICTED, UNAVAILABLE, UNKNOWN
# and BLOCKED on a keypad. Without this list all of them would share one bucket.
_WITHHELD_WORDS = frozenset(
    {
        "",
        "anonymous",
        "blocked",
        "id unavailable",
        "no caller id",
        "no number",
        "not available",
        "out of area",
        "payphone",
        "private",
        "private number",
        "restricted",
        "unavailable",
        "undefined",
        "unknown",
        "withheld",
        "null",
        "none",
    }
)
_WITHHELD_DIGITS = frozenset({"266696687", "7378742833", "86282452253", "8656696", "2562533", "0", "0000000000"})
_PLAIN = re.compile(r"\+[0-9]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SIP = re.compile(r"^(?:sips?|tel):([^@;?]*)", re.IGNORECASE)


class NotANumber(ValueError):
    """A text that is no phone number; the message says what to type."""


@dataclass(frozen=True)
class Caller:
    """Who calls: the unit that a split counts (E.164, or an opaque id), or nobody when the number is withheld."""

    unit: str | None
    is_number: bool = False

    @property
    def is_withheld(self) -> bool:
        """Whether nothing tells this caller from another."""
        return self.unit is None


@lru_cache(maxsize=50_000)
def read_number(text: str, region: str | None = None) -> str:
    """The E.164 form of a number in any form. A national form needs a region (`FR`). Raises NotANumber."""
    try:
        number = phonenumbers.parse(text.strip(), region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and region is None:
            raise NotANumber("Write the number with its country: +33 1 98 76 54 32.") from error
        raise NotANumber(f"“{text.strip()[:40]}” is no phone number. Write it like +33 1 98 76 54 32.") from error
    if not phonenumbers.is_possible_number(number):
        raise NotANumber(f"“{text.strip()[:40]}” has too few or too many digits for its country.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=50_000)
def region_of(number: str) -> str | None:
    """The region of an E.164 number, such as `FR`; None for one that belongs to none, such as +800."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    return region or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


@lru_cache(maxsize=50_000)
def shown(number: str) -> str:
    """A number as people read it: `+33 1 98 76 54 32`. Anything else is given back as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=100_000)
def read_caller(text: str, region: str | None) -> Caller:
    """Who calls, from whatever a carrier sends: a number in any form, a SIP address, a word, or a chat user's id.

    A national form is read in the region of the number that was called.
    """
    stripped = _bare(text)
    if is_withheld(stripped):
        return Caller(None)
    try:
        number = phonenumbers.parse(stripped, region)
    except NumberParseException:
        return Caller(stripped)
    if not phonenumbers.is_possible_number(number):
        return Caller(stripped)
    return Caller(phonenumbers.format_number(number, PhoneNumberFormat.E164), is_number=True)


def read_unit(text: str, region: str | None) -> str | None:
    """The unit of `read_caller` for this text, at a tenth of its price where the text is E.164 already."""
    if _E164.fullmatch(text) and text[1:] not in _WITHHELD_DIGITS:
        for end in (2, 3, 4):
            prefix = _national_prefix(text[1:end])
            if prefix is not None:
                if prefix.match(text, end) is None:
                    return text
                break
    return read_caller(text, region).unit


@lru_cache(maxsize=2_000)
def _national_prefix(code: str) -> re.Pattern[str] | None:
    """How numbers of a calling code begin that are written otherwise, as +33 06 12 34 56 78 is; None: no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if regions is None:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    return re.compile((metadata and metadata.national_prefix_for_parsing) or r"(?!)")


def is_withheld(text: str) -> bool:
    """Whether a text stands for "no number": a word of the list in any spelling, or a pseudo-number."""
    bare = _bare(text)
    if _PLAIN.fullmatch(bare):
        return bare[1:] in _WITHHELD_DIGITS
    words = " ".join(bare.replace("_", " ").replace("-", " ").casefold().split())
    return words in _WITHHELD_WORDS or bare.removeprefix("+").replace(" ", "") in _WITHHELD_DIGITS


def _bare(text: str) -> str:
    """Without white space around it, and without the frame of a SIP or tel address."""
    address = _SIP.match(text.strip())
    return address[1].strip() if address else text.strip()
