"""Voice platforms by name: how each signs what it posts, and how its events become our records. One file each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from monitoring.core.records import BadRecord, CallRecord, read_record

from . import elevenlabs, retell, twilio, vapi
from .signing import Delivery, NotGenuine
from .values import Record

__all__ = ["PLATFORMS", "Delivery", "NotGenuine", "Platform", "read_fitting"]


@dataclass(frozen=True)
class Platform:
    """A platform: the setting that holds its secret, the check of a delivery, the records of a delivery."""

    label: str
    setting: str
    verify: Callable[[Delivery, Sequence[str], float], None]
    read: Callable[[Delivery], list[Record]]


PLATFORMS = {
    "vapi": Platform("Vapi", "VAPI_WEBHOOK_SECRET", vapi.verify, vapi.read),
    "retell": Platform("Retell", "RETELL_WEBHOOK_KEY", retell.verify, retell.read),
    "elevenlabs": Platform("ElevenLabs", "ELEVENLABS_WEBHOOK_SECRET", elevenlabs.verify, elevenlabs.read),
    "twilio": Platform("Twilio", "TWILIO_AUTH_TOKEN", twilio.verify, twilio.read),
}


def read_fitting(document: Record) -> tuple[CallRecord, str]:
    """The record, and in words what was left out of it: one wrong field loses no call. Raises BadRecord.

    A platform cannot put a record right and send it again, so what is wrong in it must not take the rest along.
    """
    try:
        return read_record(document), ""
    except BadRecord as error:
        words = str(error)
    wrong = _wrong_fields(document) or {"ended_at"}
    rest: dict[str, Any] = {name: value for name, value in document.items() if name not in wrong - {"id"}}
    if rest == document:
        raise BadRecord(words)
    record, more = read_fitting(rest)
    return record, f"{words} {more}".strip()


def _wrong_fields(document: Record) -> set[str]:
    try:
        CallRecord.model_validate(document)
    except ValidationError as error:
        return {str(problem["loc"][0]) for problem in error.errors()}
    return set()
