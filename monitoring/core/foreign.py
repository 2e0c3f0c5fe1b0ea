"""Call records as others write them: known columns become our fields, everything else is kept as analysis."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from .record_files import lines_of
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
OURS = {
    theirs: (ours, place)
    for ours in CallRecord.model_fields
    for place, theirs in enumerate(ALIASES.get(ours, (ours,)))
    if theirs not in LEFT_OUT
}
"""Our field of each known column, and its place among several: the first one that a row has counts."""
YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a file by its place (a line of CSV or NDJSON, an index otherwise), or the sentence why it is none.

    `done` is the share of the file that was read by then, `size` about how many bytes the record takes.
    """

    place: int
    document: dict[str, Any] | None
    problem: str = ""
    done: float = 1.0
    size: int = 0


def read_file(name: str, stream: BinaryIO, *, time_zone: str, skip: int = 0) -> Iterator[Found]:
    """The records of a file in JSON, NDJSON, CSV or Parquet; times without a zone are of `time_zone`.

    The first `skip` records are passed over. Raises ValueError with a sentence when the file as a whole cannot be read.
    """
    zone = ZoneInfo(time_zone)
    for line in lines_of(name, stream, skip=skip):
        try:
            row = json.loads(line.row) if isinstance(line.row, bytes) else line.row
            document = as_document(row, zone)
        except UnicodeDecodeError:
            yield Found(line.place, None, "It is not UTF-8 text.", line.done, line.size)
        except (ValueError, TypeError) as error:
            yield Found(line.place, None, f"It cannot be read: {error}.", line.done, line.size)
        else:
            yield Found(line.place, document, "", line.done, line.size)


def as_document(row: Any, zone: ZoneInfo) -> dict[str, Any]:
    """Our record of a foreign one. Raises ValueError."""
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    row = {name: value for name, value in row.items() if name and value not in (None, "")}
    document: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    used: dict[str, tuple[int, str]] = {}
    for theirs, value in row.items():
        ours, place = OURS.get(theirs, ("", 0))
        if ours and (ours not in used or place < used[ours][0]):
            if ours in used:
                rest[used[ours][1]] = document[ours]
            document[ours], used[ours] = value, (place, theirs)
        elif theirs not in LEFT_OUT:
            rest[theirs] = value
    for name in ("started_at", "ended_at"):
        if isinstance(document.get(name), str):
            document[name] = _moment(document[name], zone)
    for name in ("engaged", "transferred", "is_test"):
        if isinstance(document.get(name), str):
            document[name] = YES.get(document[name].lower(), document[name])
    if used.get("cost", (0, ""))[1] == "agent_cost":
        document.setdefault("currency", "USD")
    if "cost" in document:
        # Floats of foreign files have noise beyond a millionth.
        document["cost"] = f"{float(document['cost']):.6f}"
    document.setdefault("evaluation", _evaluation(row))
    turns = _turns(row)
    if turns:
        document["transcript"] = turns
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
    if isinstance(row.get("transcript"), list):
        return [turn for turn in row["transcript"] if isinstance(turn, dict) and "role" in turn]
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
