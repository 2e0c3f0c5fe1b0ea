"""Vapi: `status-update` and `end-of-call-report` of its server messages (docs.vapi.ai, "Server events").

Authentication as in "Server authentication": a secret in X-Vapi-Secret or as bearer token, or the HMAC credential with
SHA-256 over the body alone, as hex in X-Vapi-Signature.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from monitoring.core.records import LONGEST_RESOLUTION

from .signing import Delivery, NotGenuine, is_one_of, is_signed
from .values import (
    MOST_SAID,
    MOST_SUMMARY,
    Record,
    at,
    first,
    items,
    known,
    mapping,
    moment,
    money,
    number,
    parsed,
    read_json,
    text,
    was_engaged,
    when,
)

DIRECTIONS = {"inboundPhoneCall": "inbound", "outboundPhoneCall": "outbound"}
FORWARDED = "assistant-forwarded-call"
FAILURES = ("error", "fault", "failed", "not-found", "no-server-available", "worker-shutdown", "closed-websocket")
"""Parts of an `endedReason` that tells of a failure of Vapi, of a provider or of the assistant's settings."""
VERDICTS = {"true": "success", "pass": "success", "success": "success", "false": "fail", "fail": "fail"}
"""`successEvaluation` by its PassFail rubric; the words and numbers of other rubrics are kept as analysis."""


def verify(delivery: Delivery, secrets: Sequence[str], now: float) -> None:
    """Raise NotGenuine unless Vapi sent this. It signs no time: repeated deliveries change nothing."""
    scheme, _, bearer = delivery.header("authorization").partition(" ")
    given = delivery.header("x-vapi-secret") or (bearer.strip() if scheme.lower() == "bearer" else "")
    is_known = is_one_of(given, secrets)
    if not (is_signed(delivery.header("x-vapi-signature"), delivery.body, secrets) or is_known):
        raise NotGenuine("Neither the secret nor the signature is the one that Vapi and this server share.")


def read(delivery: Delivery) -> list[Record]:
    """The records of a server message; none for kinds that say nothing about a call as a whole. Raises ValueError."""
    message = mapping(read_json(delivery.body), "message")
    reader = {"status-update": _status, "end-of-call-report": _report}.get(str(message.get("type")))
    sender_id = text(message, "call", "id")
    record = reader(message) if reader is not None and sender_id else None
    return [known({"id": sender_id, **_whole(message), **record})] if record else []


def _whole(message: Record) -> Record:
    """What any message says about its call. `called` is always our number, `caller` the person."""
    call, assistant = mapping(message, "call"), mapping(message, "assistant")
    places = (
        mapping(call, "assistantOverrides", "metadata"),
        mapping(call, "assistantOverrides", "variableValues"),
        mapping(call, "metadata"),
        mapping(assistant, "metadata"),
        mapping(message, "artifact", "variableValues"),
    )
    return {
        "direction": DIRECTIONS.get(str(call.get("type"))),
        "caller": first(text(message, "customer", "number"), text(call, "customer", "number")),
        "called": first(text(message, "phoneNumber", "number"), text(call, "phoneNumber", "number")),
        "resolution": first(*(text(place, "resolution", most=LONGEST_RESOLUTION) for place in places)),
        "started_at": first(moment(message, "startedAt"), moment(call, "startedAt")),
    }


def _status(message: Record) -> Record | None:
    if message.get("status") == "in-progress":
        return {"event": "start"}
    if message.get("status") == "ended":
        return {"event": "end", "status": "ended", **_ending(message)}
    return None


def _report(message: Record) -> Record:
    """The report comes after the analysis and repeats everything, so it has the last word."""
    artifact = mapping(message, "artifact")
    turns = list(_turns(items(artifact, "messages") or items(message, "messages")))
    verdict = first(at(message, "analysis", "successEvaluation"))
    evaluation = VERDICTS.get(str(verdict).strip().lower())
    cost = first(money(message, "cost"), money(message, "call", "cost"))
    return {
        "event": "analysis",
        "status": "ended",
        "ended_at": first(moment(message, "endedAt"), moment(message, "call", "endedAt")),
        **_ending(message),
        "engaged": was_engaged(turns),
        "evaluation": evaluation,
        "analysis": _analysis(message, verdict if evaluation is None else None),
        "summary": first(
            text(message, "analysis", "summary", most=MOST_SUMMARY), text(message, "summary", most=MOST_SUMMARY)
        ),
        "transcript": turns or None,
        "recording": first(
            text(artifact, "recording", "mono", "combinedUrl", most=2_000),
            text(artifact, "recordingUrl", most=2_000),
            text(message, "recordingUrl", most=2_000),
        ),
        "latency_ms": number(artifact, "performanceMetrics", "turnLatencyAverage"),
        "cost": cost,
        "currency": "USD" if cost is not None else None,
    }


def _ending(message: Record) -> Record:
    reason = first(text(message, "endedReason"), text(message, "call", "endedReason"))
    if reason is None:
        return {}
    has_failed = any(part in reason for part in FAILURES)
    return {"ended_reason": reason, "transferred": reason == FORWARDED, "error": reason if has_failed else False}


def _analysis(message: Record, verdict: Any) -> Record | None:
    """Structured data, structured outputs by name, and a verdict that is neither success nor failure."""
    outputs = mapping(message, "artifact", "structuredOutputs").values()
    named = {name: at(output, "result") for output in outputs if (name := text(output, "name"))}
    found: Record = {**mapping(message, "analysis", "structuredData"), **named}
    if verdict is not None:
        found["success_evaluation"] = verdict
    return found or None


def _turns(messages: list[Any]) -> Iterator[Record]:
    """What was said and which tools were called; the system's message is the configuration's prompt."""
    for message in messages:
        role, timed = at(message, "role"), when(number(message, "secondsFromStart"))
        if role in ("bot", "assistant", "user"):
            said = first(text(message, "message", most=MOST_SAID), text(message, "content", most=MOST_SAID))
            if said:
                yield {"role": "user" if role == "user" else "agent", "text": said, **timed}
        elif role == "tool_call_result":
            result = first(at(message, "result"), at(message, "content"))
            yield {"role": "tool", "tool": text(message, "name") or "tool", "data": parsed(result), **timed}
        for call in items(message, "toolCalls"):
            name = text(call, "function", "name") or "tool"
            yield {"role": "agent", "tool": name, "data": parsed(at(call, "function", "arguments")), **timed}
