"""Everything about one call: what was said, which configuration handled it and how it came to that."""

from dataclasses import dataclass
from typing import Any

from agentversions.models import Agent, AgentVersion, Configuration
from monitoring.models import Call, CallContent, CallCorrection, CallLedger

NEIGHBOURS = 10


@dataclass(frozen=True)
class CallDetail:
    """A call with what its page shows. `agent` and `version` are None where nobody knows."""

    call: Call
    agent: Agent | None
    version: AgentVersion | None
    has_configuration: bool
    turns: list[dict[str, Any]] | None
    corrections: list[CallCorrection]
    neighbours: list[Call]


def find_call(sender_id: str) -> Call | None:
    """The call of a sender's id."""
    entry = CallLedger.objects.filter(sender_id=sender_id).first()
    if entry is None:
        return None
    found: Call | None = Call.objects.filter(
        agent_id=entry.agent_id, started_at=entry.started_at, id=entry.call_id
    ).first()
    return found


def load_call(call: Call) -> CallDetail:
    """The call with everything around it."""
    key = {"agent_id": call.agent_id, "started_at": call.started_at, "id": call.id}
    content = CallContent.objects.filter(**key).first()
    agent = Agent.objects.with_draft().filter(pk=call.agent_id).first()
    version = agent.versions.filter(number=call.version).first() if agent and call.version else None
    neighbours: list[Call] = []
    if call.caller_hash is not None:
        same = Call.objects.filter(caller_hash=call.caller_hash).exclude(started_at=call.started_at, id=call.id)
        neighbours = list(same.order_by("-started_at")[:NEIGHBOURS])
    return CallDetail(
        call,
        agent,
        version,
        has_configuration=bool(call.digest) and Configuration.objects.filter(digest=call.digest).exists(),
        turns=content.transcript if content else None,
        corrections=list(CallCorrection.objects.filter(sender_id=call.sender_id).order_by("id")[:100]),
        neighbours=neighbours,
    )
