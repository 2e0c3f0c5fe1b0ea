"""Retell: `call_started`, `call_ended` and `call_analyzed` (docs.retellai.com, "Webhook" and "Secure the webhook").

The header x-retell-signature is `v={milliseconds since 1970},d={hex}`: HMAC-SHA256 by the API key of the body and then
the milliseconds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from monitoring.core.records import LONGEST_RESOLUTION

from .signing import Delivery, NotGenuine, is_signed, parts_of, refuse_stale
from .values import (
    MOST_SAID,
    MOST_SUMMARY,
    Record,
    at,
    first,
    items,
    known,
    mapping,
    money,
    number,
    parsed,
    read_json,
    since_1970,
    text,
    was_engaged,
    when,
)

TOLERANCE = 5 * 60
"""Seconds, as in Retell's own library."""
EVENTS = {"call_started": "start", "call_ended": "end", "call_analyzed": "analysis"}
FAILURES = frozenset({"concurrency_limit_reached", "no_valid_payment", "invalid_destination", "sip_routing_error"})
"""Reasons of a failure beside those that begin with `error` or name the telephony provider."""
SENTIMENTS = {"positive", "neutral", "negative"}


def verify(delivery: Delivery, secrets: Sequence[str], now: float) -> None:
    """Raise NotGenuine unless Retell sent this within the last minutes."""
    parts = parts_of(delivery.header("x-retell-signature"))
    stamp = parts.get("v", "")
    if not is_signed(parts.get("d", ""), delivery.body + stamp.encode("utf-8", "replace"), secrets):
        raise NotGenuine("The signature is not Retell's for this body. Use the API key that has the webhook badge.")
    milliseconds = number(stamp)
    refuse_stale(milliseconds / 1000 if milliseconds is not None else None, now, tolerance=TOLERANCE)


def read(delivery: Delivery) -> list[Record]:
    """The record of an event; none for events that say nothing about a call as a whole. Raises ValueError."""
    payload = read_json(delivery.body)
    event, call = EVENTS.get(str(at(payload, "event"))), mapping(payload, "call")
    sender_id = text(call, "call_id")
    if event is None or sender_id is None:
        return []
    record = {"id": sender_id, "event": event, "status": None if event == "start" else "ended"}
    return [known({**record, **_whole(call), **({} if event == "start" else _ending(call)), **_analysis(call)})]


def _whole(call: Record) -> Record:
    """What every event says. `called` is always our number, `caller` the person."""
    direction = text(call, "direction")
    numbers = text(call, "from_number"), text(call, "to_number")
    caller, called = reversed(numbers) if direction == "outbound" else numbers
    places = mapping(call, "metadata"), mapping(call, "retell_llm_dynamic_variables")
    return {
        "direction": direction if direction in ("inbound", "outbound") else None,
        "caller": caller,
        "called": called,
        "resolution": first(*(text(place, "resolution", most=LONGEST_RESOLUTION) for place in places)),
        "started_at": since_1970(call, "start_timestamp", per_second=1000),
    }


def _ending(call: Record) -> Record:
    turns = list(_turns(items(call, "transcript_with_tool_calls") or items(call, "transcript_object")))
    reason = text(call, "disconnection_reason")
    latency = first(number(call, "latency", "e2e", "p50"))
    cost = money(call, "call_cost", "combined_cost", share=100)
    return {
        "ended_at": since_1970(call, "end_timestamp", per_second=1000),
        "ended_reason": reason,
        "transferred": reason == "call_transfer" if reason else None,
        "error": (reason if _has_failed(reason) else False) if reason else None,
        "engaged": was_engaged(turns),
        "transcript": turns or None,
        "recording": text(call, "recording_url", most=2_000),
        "latency_ms": latency,
        "cost": cost,
        "currency": "USD" if cost is not None else None,
    }


def _has_failed(reason: str) -> bool:
    return reason.startswith(("error", "telephony_provider")) or reason in FAILURES


def _analysis(call: Record) -> Record:
    """Of `call_analyzed` alone; other events have no call_analysis."""
    found = mapping(call, "call_analysis")
    is_success, sentiment = found.get("call_successful"), str(found.get("user_sentiment")).lower()
    data = {**mapping(found, "custom_analysis_data")}
    if isinstance(found.get("in_voicemail"), bool):
        data["in_voicemail"] = found["in_voicemail"]
    return {
        "evaluation": ("success" if is_success else "fail") if isinstance(is_success, bool) else None,
        "sentiment": sentiment if sentiment in SENTIMENTS else None,
        "summary": text(found, "call_summary", most=MOST_SUMMARY),
        "analysis": data or None,
    }


def _turns(utterances: list[Any]) -> Iterator[Record]:
    """What was said, which tools were called and what they gave; results name their call by its id alone."""
    names: dict[str, str] = {}
    for each in utterances:
        role, timed = at(each, "role"), when(number(_first_word(each), "start"))
        if role == "tool_call_invocation":
            name = names[str(at(each, "tool_call_id"))] = text(each, "name") or "tool"
            yield {"role": "agent", "tool": name, "data": parsed(at(each, "arguments"))}
        elif role == "tool_call_result":
            name = names.get(str(at(each, "tool_call_id")), "tool")
            yield {"role": "tool", "tool": name, "data": parsed(at(each, "content"))}
        elif role == "dtmf":
            yield {"role": "user", "text": f"[key {at(each, 'digit')}]"}
        elif isinstance(role, str) and (said := text(each, "content", most=MOST_SAID)):
            yield {"role": role[:200], "text": said, **timed}


def _first_word(utterance: Any) -> Any:
    return next(iter(items(utterance, "words")), None)
