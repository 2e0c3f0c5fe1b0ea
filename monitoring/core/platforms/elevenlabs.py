"""ElevenLabs: `post_call_transcription` and `call_initiation_failure` (elevenlabs.io, "Post-call webhooks").

The header ElevenLabs-Signature is `t={seconds since 1970},v0={hex}`: HMAC-SHA256 of `t.body` by the webhook's secret.
Costs are credits, which are no money: they are kept as analysis.
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
    number,
    parsed,
    read_json,
    since_1970,
    text,
    was_engaged,
    when,
)

TOLERANCE = 30 * 60
"""Seconds, as in ElevenLabs' own library."""
VERDICTS = {"success": "success", "failure": "fail"}
TRANSFERS = frozenset({"transfer_to_number", "transfer_to_human"})


def verify(delivery: Delivery, secrets: Sequence[str], now: float) -> None:
    """Raise NotGenuine unless ElevenLabs sent this within the last half hour."""
    parts = parts_of(delivery.header("elevenlabs-signature"))
    stamp = parts.get("t", "")
    if not is_signed(parts.get("v0", ""), stamp.encode("utf-8", "replace") + b"." + delivery.body, secrets):
        raise NotGenuine("The signature is not ElevenLabs' for this body. Use the secret of this webhook.")
    refuse_stale(number(stamp), now, tolerance=TOLERANCE)


def read(delivery: Delivery) -> list[Record]:
    """The record of an event; none for audio and for whatever is not about a call. Raises ValueError."""
    payload = read_json(delivery.body)
    data = mapping(payload, "data")
    reader = {"post_call_transcription": _transcription, "call_initiation_failure": _failure}.get(
        str(at(payload, "type"))
    )
    sender_id = text(data, "conversation_id")
    return [known({"id": sender_id, **reader(data)})] if reader is not None and sender_id else []


def _transcription(data: Record) -> Record:
    metadata, analysis = mapping(data, "metadata"), mapping(data, "analysis")
    turns = list(_turns(items(data, "transcript")))
    failure = _error(metadata, data.get("status"))
    return {
        "event": "analysis",
        "status": "ended",
        **_whole(data, mapping(metadata, "phone_call")),
        "started_at": since_1970(metadata, "start_time_unix_secs"),
        "duration_s": number(metadata, "call_duration_secs"),
        "ended_reason": text(metadata, "termination_reason"),
        "evaluation": VERDICTS.get(str(analysis.get("call_successful"))),
        "engaged": was_engaged(turns),
        "transferred": _was_transferred(metadata, items(data, "transcript")),
        "error": failure,
        "analysis": _analysis(analysis, metadata),
        "summary": text(analysis, "transcript_summary", most=MOST_SUMMARY),
        "transcript": turns or None,
    }


def _failure(data: Record) -> Record:
    """A call that never came to be; `body` is what the telephony provider said."""
    said = mapping(data, "metadata", "body")
    return {
        "event": "end",
        "status": "ended",
        **_whole(data, {}),
        "direction": "outbound",
        "caller": first(text(said, "To"), text(said, "to_number")),
        "called": first(text(said, "From"), text(said, "from_number")),
        "ended_reason": text(data, "failure_reason"),
        "engaged": False,
    }


def _whole(data: Record, phone: Record) -> Record:
    """Numbers and resolution. `called` is always our number, `caller` the person."""
    variables = mapping(data, "conversation_initiation_client_data", "dynamic_variables")
    direction = text(phone, "direction")
    return {
        "direction": direction if direction in ("inbound", "outbound") else None,
        "caller": first(text(phone, "external_number"), text(variables, "system__caller_id")),
        "called": first(text(phone, "agent_number"), text(variables, "system__called_number")),
        "resolution": text(variables, "resolution", most=LONGEST_RESOLUTION),
    }


def _error(metadata: Record, status: Any) -> str | bool:
    error = mapping(metadata, "error")
    words = ": ".join(str(error[name]) for name in ("code", "reason") if error.get(name) not in (None, ""))
    return words[:200] or (status == "failed")


def _was_transferred(metadata: Record, transcript: list[Any]) -> bool:
    results = [result for turn in transcript for result in items(turn, "tool_results")]
    by_tool = any(text(result, "tool_name") in TRANSFERS and not at(result, "is_error") for result in results)
    return by_tool or at(metadata, "features_usage", "transfer_to_number", "used") is True


def _analysis(analysis: Record, metadata: Record) -> Record | None:
    """Collected data by name; criteria with their results; credits."""
    found: Record = {
        name: at(each, "value")
        for name, each in mapping(analysis, "data_collection_results").items()
        if isinstance(each, dict)
    }
    criteria = mapping(analysis, "evaluation_criteria_results")
    if criteria:
        found["criteria"] = {name: at(each, "result") for name, each in criteria.items()}
    if number(metadata, "cost") is not None:
        found["credits"] = metadata["cost"]
    return found or None


def _turns(transcript: list[Any]) -> Iterator[Record]:
    """What was said, which tools were called and what they gave."""
    for turn in transcript:
        role, timed = text(turn, "role"), when(number(turn, "time_in_call_secs"))
        said = text(turn, "message", most=MOST_SAID)
        if role and said:
            yield {"role": role, "text": said, **timed}
        for call in items(turn, "tool_calls"):
            arguments = parsed(at(call, "params_as_json"))
            yield {"role": "agent", "tool": text(call, "tool_name") or "tool", "data": arguments, **timed}
        for result in items(turn, "tool_results"):
            given = parsed(at(result, "result_value"))
            yield {"role": "tool", "tool": text(result, "tool_name") or "tool", "data": given, **timed}
