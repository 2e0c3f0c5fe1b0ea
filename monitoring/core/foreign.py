"""Call records as others write them: known columns become our fields, everything else is kept as analysis."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .records import CallRecord

ALIASES = {
    "id": ("id", "call_id", "ConversationId", "conversation_id", "CallSid"),
    "started_at": ("started_at", "start_time", "StartTime"),
    "ended_at": ("ended_at", "end_time", "EndTime"),
    "duration_s": ("duration_s", "duration"),
    "ended_reason": ("ended_reason", "termination_reason", "endedReason"),
    "cost": ("cost", "agent_cost"),
}
LEFT_OUT = frozenset({"messages", "Content", "ticks", "transcript"})
"""What becomes the transcript, or is too deep to be analysis."""
YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Found:
    """A record of a file by its place (a line of CSV or NDJSON, an index of JSON), or the sentence why it is none."""

    place: int
    document: dict[str, Any] | None
    problem: str = ""


def read_file(name: str, data: bytes, *, time_zone: str) -> Iterator[Found]:
    """The records of a file in JSON, NDJSON or CSV; times without a zone are of `time_zone`.

    Raises ValueError with a sentence when the file as a whole cannot be read.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    zone = ZoneInfo(time_zone)
    for place, row in _rows(name, text):
        try:
            yield Found(place, as_document(json.loads(row) if isinstance(row, str) else row, zone))
        except (ValueError, TypeError) as error:
            yield Found(place, None, f"It cannot be read: {error}.")


def _rows(name: str, text: str) -> Iterator[tuple[int, Any]]:
    """Each record with its place: the line it ends in, or its index."""
    if name.lower().endswith(".csv"):
        reader = csv.DictReader(io.StringIO(text, newline=""))
        for row in reader:
            yield reader.line_num, row
    elif name.lower().endswith((".ndjson", ".jsonl")):
        yield from ((at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip())
    else:
        yield from enumerate(_json(name, text))


def _json(name: str, text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no JSON: line {error.lineno}, column {error.colno}.") from None
    if isinstance(found, dict):
        return list(found["simulations"]) if isinstance(found.get("simulations"), list) else [found]
    return list(found)


def as_document(row: Any, zone: ZoneInfo) -> dict[str, Any]:
    """Our record of a foreign one. Raises ValueError."""
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    row = {name: value for name, value in row.items() if name and value not in (None, "")}
    document: dict[str, Any] = {}
    used = set()
    for ours in CallRecord.model_fields:
        theirs = next((name for name in ALIASES.get(ours, (ours,)) if name in row), None)
        if theirs is not None and theirs not in LEFT_OUT:
            document[ours] = row[theirs]
            used.add(theirs)
    for name in ("started_at", "ended_at"):
        if isinstance(document.get(name), str):
            document[name] = _moment(document[name], zone)
    for name in ("engaged", "transferred", "is_test"):
        if isinstance(document.get(name), str):
            document[name] = YES.get(document[name].lower(), document[name])
    if "agent_cost" in used:
        document.setdefault("currency", "USD")
    if "cost" in document:
        # Floats of foreign files have noise beyond a millionth.
        document["cost"] = f"{float(document['cost']):.6f}"
    document.setdefault("evaluation", _evaluation(row))
    turns = _turns(row)
    if turns:
        document["transcript"] = turns
    rest = {name: value for name, value in row.items() if name not in used | LEFT_OUT | set(document)}
    if rest and "analysis" not in document:
        document["analysis"] = rest
    return {name: value for name, value in document.items() if value is not None}


def _moment(text: str, zone: ZoneInfo) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _evaluation(row: dict[str, Any]) -> str | None:
    """Success or failure as others call it: satisfied callers, a full reward."""
    if str(row.get("satisfied", "")).lower() in YES:
        return "success" if YES[str(row["satisfied"]).lower()] else "fail"
    reward = row.get("reward")
    if reward is None and isinstance(row.get("reward_info"), dict):
        reward = row["reward_info"].get("reward")
    return None if reward is None else ("success" if float(reward) >= 1 else "fail")


def _turns(row: dict[str, Any]) -> list[dict[str, Any]]:
    if isinstance(row.get("messages"), list):
        return [turn for message in row["messages"] for turn in _message(message)]
    return [{"role": "conversation", "text": row["Content"]}] if isinstance(row.get("Content"), str) else []


def _message(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A message of a chat: what was said, then each tool that it called."""
    role = str(message.get("role", "unknown"))
    if message.get("content"):
        yield {"role": role, "text": str(message["content"])}
    for call in message.get("tool_calls") or []:
        yield {"role": role, "tool": str(call.get("name", "")), "data": call.get("arguments")}
