"""Rows of calls from what is known of them, and back: the columns are the model's, in one order for COPY and UPDATE."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import Any

from django.conf import settings

from channels.core.caller_keys import CallerKeys, masked
from channels.core.phone_numbers import read_caller, region_of
from monitoring.core.figures import Outcome, as_word
from monitoring.core.merging import CallState, is_over, times_of
from monitoring.core.records import Sentiment, Turn
from monitoring.models import Call

from .attribution import Attributed

COLUMNS = tuple(field.column for field in Call._meta.local_concrete_fields if field.column)
MILLIONTH = Decimal("0.000001")
UNKNOWN_VERSION = -1
"""In the figures, whose keys have no NULL."""


@dataclass(frozen=True)
class Row:
    """A call as it is stored."""

    values: dict[str, Any]

    @property
    def key(self) -> tuple[int, datetime, int]:
        """Agent, start and id."""
        values = self.values
        return values["agent_id"], values["started_at"], values["id"]

    @property
    def outcome(self) -> Outcome:
        """What counts of it."""
        values = self.values
        version = values["version"]
        return Outcome(
            agent=values["agent_id"],
            version=UNKNOWN_VERSION if version is None else version,
            **{name: values[name] for name in OUTCOME},
        )


OUTCOME = (
    "variant",
    "is_test",
    "started_at",
    "is_over",
    "duration_ms",
    "engaged",
    "transferred",
    "is_error",
    "evaluation",
    "sentiment",
    "sentiment_score",
    "latency_ms",
    "channel",
    "ended_reason",
    "cost",
    "currency",
)


@cache
def caller_keys() -> CallerKeys:
    """The keys of this installation."""
    return CallerKeys(settings.CALLER_SECRET.encode())


def row_of(
    state: CallState, attributed: Attributed, *, sender_id: str, call_id: int, source: str, received_at: datetime
) -> Row:
    """The row of a call."""
    fields, times = state.fields, times_of(state, received_at)
    sentiment, score = as_word(fields.get("sentiment"))
    error = fields.get("error")
    length = times.duration
    cost: Decimal | None = fields.get("cost")
    if cost is not None:
        # As the column holds it, so that the figures add what is stored.
        cost = cost.quantize(MILLIONTH, ROUND_HALF_UP)
    return Row(
        {
            "agent_id": attributed.agent,
            "started_at": times.started_at,
            "id": call_id,
            "sender_id": sender_id,
            "source": source,
            "attribution": str(attributed.how),
            "version": attributed.version,
            "digest": attributed.digest,
            "variant": attributed.variant,
            "decision": attributed.decision,
            "channel": attributed.channel,
            "direction": fields.get("direction") or "",
            **_caller(fields.get("caller"), attributed.channel),
            "is_start_known": times.is_start_known,
            "is_over": is_over(state),
            "ended_at": times.ended_at,
            "duration_ms": round(length.total_seconds() * 1000) if length is not None else None,
            "ended_reason": fields.get("ended_reason") or "",
            "evaluation": fields.get("evaluation"),
            "engaged": fields.get("engaged"),
            "transferred": fields.get("transferred"),
            "is_error": bool(error) if error is not None else None,
            "error": error if isinstance(error, str) else "",
            "sentiment": sentiment,
            "sentiment_score": score,
            "analysis": fields.get("analysis"),
            "summary": fields.get("summary") or "",
            "latency_ms": fields.get("latency_ms"),
            "cost": cost,
            "currency": fields.get("currency") or "",
            "is_test": bool(fields.get("is_test")),
            "received_at": received_at,
        }
    )


def _caller(caller: str | None, channel: str) -> dict[str, Any]:
    if not caller:
        return {"caller_hash": None, "caller_secret": None, "caller_shown": ""}
    known = read_caller(caller, region_of(channel) if channel.startswith("+") else None)
    if known.unit is None:
        return {"caller_hash": None, "caller_secret": None, "caller_shown": "withheld"}
    return _stored_caller(known.unit)


@lru_cache(maxsize=20_000)
def _stored_caller(unit: str) -> dict[str, Any]:
    """The columns of a caller. That two calls share a secret tells nobody more than that they share the hash."""
    keys = caller_keys()
    return {
        "caller_hash": keys.hash_of(unit),
        "caller_secret": keys.encrypt(unit),
        "caller_shown": masked(unit)[:20],
    }


ERASED = {"caller_hash": None, "caller_secret": None, "caller_shown": "erased"}
"""The caller of a call whose caller was erased."""


def caller_of(call: Any) -> str:
    """The full number of a stored call's caller; what is shown of it where the number is withheld or unreadable."""
    secret = call.caller_secret
    return (caller_keys().decrypt(bytes(secret)) if secret else None) or call.caller_shown


def state_of(
    row: dict[str, Any], ranks: dict[str, Any], *, transcript: list[Any] | None, recording: str | None
) -> CallState:
    """What was known of a stored call, field by field as it was sent; only fields that somebody sent."""
    secret = row["caller_secret"]
    known: dict[str, Any] = {
        "status": "ended" if row["is_over"] else "in_progress",
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "duration_s": row["duration_ms"] / 1000 if row["duration_ms"] is not None else None,
        "caller": caller_keys().decrypt(bytes(secret)) if secret else "anonymous",
        "called": row["channel"],
        "direction": row["direction"],
        "ended_reason": row["ended_reason"],
        "evaluation": row["evaluation"],
        "engaged": row["engaged"],
        "transferred": row["transferred"],
        "error": row["error"] or row["is_error"],
        "sentiment": row["sentiment_score"]
        if row["sentiment_score"] is not None
        else {-1: Sentiment.NEGATIVE, 0: Sentiment.NEUTRAL, 1: Sentiment.POSITIVE}.get(row["sentiment"]),
        "analysis": row["analysis"],
        "summary": row["summary"],
        "transcript": [Turn.model_validate(turn) for turn in transcript] if transcript is not None else None,
        "recording": recording,
        "latency_ms": row["latency_ms"],
        "cost": row["cost"],
        "currency": row["currency"],
        "resolution": "",
        "agent": (row["decision"] or {}).get("agent"),
        "version": (row["decision"] or {}).get("version"),
        "is_test": row["is_test"],
    }
    return CallState(
        {name: known[name] for name in ranks}, {name: (rank[0], rank[1], rank[2]) for name, rank in ranks.items()}
    )


def attributed_of(row: dict[str, Any]) -> Attributed:
    """How a stored call is attributed."""
    names = ("version", "digest", "variant", "channel", "decision")
    return Attributed(row["attribution"], row["agent_id"], *(row[name] for name in names))
