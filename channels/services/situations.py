"""A call as flags see it, from what is known of its caller."""

from datetime import UTC, datetime, tzinfo

from channels.core.flag_rules import Situation
from channels.core.phone_numbers import Caller, read_caller

from .flag_callers import hash_of


def known_caller(caller: str | None, region: str | None) -> Caller:
    """A caller as somebody typed or sent it, read as the runtime reads it in a region (`FR`, None for
    a number without one). No caller: nobody is named."""
    return read_caller(caller, region) if caller else Caller(None)


def situation_of(
    known: Caller, *, unit: str, at: datetime, zone: tzinfo = UTC, channel: str = "", variant: str | None = None
) -> Situation:
    """What rules ask of a call: `unit` is what shares count (empty: chance), `channel` an address."""
    caller = hash_of(known.unit) if known.unit else None
    return Situation(at=at, zone=zone, unit=unit or None, caller=caller, channel=channel, variant=variant)
