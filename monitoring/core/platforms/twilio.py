"""Twilio: status callbacks of calls, a form (twilio.com/docs/voice, "Call resource", status callbacks).

The signature is the one of every Twilio webhook, over the address with its query and the form. What Twilio knows is the
telephone's side: times, numbers, how it ended. The query may bring the resolution.
"""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from channels.runtime import twilio
from monitoring.core.records import LONGEST_RESOLUTION

from .signing import Delivery, NotGenuine
from .values import Record, first, known, number, text

ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
UNREACHED = ENDED - {"completed"}


def verify(delivery: Delivery, secrets: Sequence[str], now: float) -> None:
    """Raise NotGenuine unless Twilio sent this. It signs no time: repeated deliveries change nothing."""
    form, given = twilio.read_parameters(delivery.body), delivery.header("x-twilio-signature")
    same = [twilio.is_signed(delivery.address, form, given, secret) for secret in secrets]
    if not any(same):
        raise NotGenuine(
            f"The signature is not Twilio's for {delivery.address.partition('?')[0]} and this form. "
            "Check TWILIO_AUTH_TOKEN, and that PUBLIC_URL is the address that Twilio calls."
        )


def read(delivery: Delivery) -> list[Record]:
    """The record of a status; none before a call is answered, and for the legs that a call dials. Raises ValueError."""
    form = {name: value.replace("\x00", "\ufffd") for name, value in twilio.read_parameters(delivery.body)}
    sender_id, status = text(form, "CallSid"), form.get("CallStatus")
    if not sender_id or form.get("ParentCallSid") or not (status == "in-progress" or status in ENDED):
        return []
    is_over, sequence = status in ENDED, number(form, "SequenceNumber")
    is_outbound = form.get("Direction", "").startswith("outbound")
    numbers = text(form, "From", most=1024), text(form, "To")
    caller, called = reversed(numbers) if is_outbound else numbers
    record = {
        "id": sender_id,
        "sequence": int(sequence) if sequence is not None and sequence >= 0 else None,
        "event": "end" if is_over else "start",
        "status": "ended" if is_over else None,
        "ended_at" if is_over else "started_at": _moment(form.get("Timestamp", "")),
        "direction": ("outbound" if is_outbound else "inbound") if form.get("Direction") else None,
        "caller": caller,
        "called": called,
        "resolution": text(delivery.query, "resolution", most=LONGEST_RESOLUTION),
        **(_ending(form, str(status)) if is_over else {}),
    }
    return [known(record)]


def _ending(form: dict[str, str], status: str) -> Record:
    code = text(form, "SipResponseCode")
    return {
        "duration_s": first(number(form, "CallDuration"), 0.0 if status in UNREACHED else None),
        "ended_reason": status,
        # Twilio does not hear whether a caller who was connected said anything.
        "engaged": False if status in UNREACHED else None,
        "error": (f"failed (SIP {code})" if code else "failed") if status == "failed" else False,
        "recording": text(form, "RecordingUrl", most=2_000),
    }


def _moment(stamp: str) -> str | None:
    """`Tue, 31 Oct 2023 12:00:00 +0000` as ISO time."""
    try:
        read = parsedate_to_datetime(stamp)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()
