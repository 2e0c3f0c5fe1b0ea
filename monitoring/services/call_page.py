"""Everything about one call: what was said, which configuration handled it and how it came to that."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from agentversions.models import Agent, AgentVersion, Configuration, User
from agentversions.services.audit import record_once_per_sitting
from monitoring.core.analysis_check import check_analysis
from monitoring.core.personal import SEEN_BY_REVIEWERS
from monitoring.models import Call, CallContent, CallCorrection, CallLedger

from .contents import oldest_kept
from .handling import Handling, handling_of
from .rows import caller_of

NEIGHBOURS = 10
MOST_CORRECTIONS = 100
FOR_REVIEWERS = (
    "Summary, transcript, recording and the full number are for people with the Call reviewer role. "
    "Ask an admin for it."
)


@dataclass(frozen=True)
class Corrected:
    """A value that another replaced; not `is_shown`: it is personal, and the reader may not see it."""

    field: str
    before: Any
    after: Any
    is_shown: bool


@dataclass(frozen=True)
class CallDetail:
    """A call with what its page shows. `agent` and `version` are None where nobody knows.

    `handling`: the rollout and the flags that led to its configuration.
    `analysis_problems`: what of the analysis does not fit the configuration that handled the call.
    `no_turns` says why there is no transcript, where there is none.

    Not `may_listen`: the caller is masked, and summary, transcript (`turns`) and recording are empty.
    """

    call: Call
    agent: Agent | None
    version: AgentVersion | None
    has_configuration: bool
    handling: Handling
    analysis_problems: list[str]
    may_listen: bool
    caller: str
    summary: str
    recording: str
    turns: list[dict[str, Any]] | None
    no_turns: str
    corrections: list[Corrected]
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


@transaction.atomic
def read_call(*, call: Call, may_listen: bool, actor: User) -> CallDetail:
    """The call with everything around it. Seeing what is personal in it is written to the audit log."""
    agent = Agent.objects.with_draft().filter(pk=call.agent_id).first()
    version = agent.versions.filter(number=call.version).first() if agent and call.version else None
    configuration = Configuration.objects.filter(digest=call.digest).first() if call.digest else None
    handling = handling_of(call)
    content = _content(call) if may_listen else None
    if may_listen:
        record_once_per_sitting(action="call read", subject_kind="call", subject=call.sender_id, actor=actor)
    corrections = CallCorrection.objects.filter(sender_id=call.sender_id).order_by("id")[:MOST_CORRECTIONS]
    return CallDetail(
        call,
        agent,
        version,
        has_configuration=configuration is not None,
        handling=handling,
        analysis_problems=analysis_problems(call, _handled_by(configuration, handling)),
        may_listen=may_listen,
        caller=caller_of(call) if may_listen else call.caller_shown,
        summary=call.summary if may_listen else "",
        recording=content.recording if content else "",
        turns=content.transcript if content else None,
        no_turns=_why_no_turns(call) if may_listen else FOR_REVIEWERS,
        corrections=[_corrected(each, may_listen=may_listen) for each in corrections],
        neighbours=_neighbours(call),
    )


def analysis_problems(call: Call, configuration: Configuration | None) -> list[str]:
    """What of a call's analysis does not fit the configuration that handled it; nothing where that is not known."""
    if call.analysis is None or configuration is None:
        return []
    return check_analysis(call.analysis, configuration.load().call_analysis.fields)


def _handled_by(configuration: Configuration | None, handling: Handling) -> Configuration | None:
    """The configuration that the agent ran: what flags had made of the stored one, as far as it can be made again."""
    rebuilt = handling.rebuilt
    if rebuilt is None:
        return configuration
    return Configuration(digest=handling.effective, body=rebuilt.body) if rebuilt.body is not None else None


def _content(call: Call) -> CallContent | None:
    found: CallContent | None = CallContent.objects.filter(
        agent_id=call.agent_id, started_at=call.started_at, id=call.id
    ).first()
    return found


def _why_no_turns(call: Call) -> str:
    entry = CallLedger.objects.get(sender_id=call.sender_id)
    days = settings.CALL_CONTENT_DAYS
    if entry.erased_at is not None:
        return "The caller of this call was erased, and with them what was said."
    if entry.is_content_late:
        return f"A transcript or recording came too late: they are kept for {days} days after the end of their month."
    if "transcript" in entry.ranks and call.started_at < oldest_kept():
        return f"The transcript was kept for {days} days after the end of its month."
    return "No transcript came with this call."


def _corrected(each: CallCorrection, *, may_listen: bool) -> Corrected:
    if each.field in SEEN_BY_REVIEWERS and not may_listen:
        return Corrected(each.field, None, None, is_shown=False)
    return Corrected(each.field, each.before, each.after, is_shown=True)


def _neighbours(call: Call) -> list[Call]:
    """Other calls of the same caller, newest first."""
    if call.caller_hash is None:
        return []
    same = Call.objects.filter(caller_hash=call.caller_hash).exclude(started_at=call.started_at, id=call.id)
    return list(same.order_by("-started_at")[:NEIGHBOURS])
