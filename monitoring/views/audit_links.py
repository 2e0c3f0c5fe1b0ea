"""Where the things of the audit log have their pages."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from agentversions.core.roles import Permission
from agentversions.models import AuditEntry, User

PAGES = {
    "agent": "agentversions:agent_editor",
    "tool": "agentversions:tool_detail",
    "knowledge_base": "agentversions:knowledge_detail",
    "channel": "channels:channel_detail",
    "route batch": "channels:batch_detail",
    "planned change": "channels:schedule_detail",
    "call": "monitoring:call_detail",
    "flag": "channels:flag_detail",
    "rollout": "channels:rollout_detail",
    "suite": "agentversions:suite_detail",
}
"""By the kind of the thing; the page takes the subject."""
LISTS = {
    "freeze": "channels:freeze_list",
    "calls": "monitoring:call_list",
    "git": "agentversions:git_page",
    "saved view": "monitoring:call_list",
}
"""Kinds whose things stand on one page together."""
FOR_ADMINS = {"token": "agentversions:token_list"}
"""The same, for those whom these pages let in."""
PERSON, RESULT = "person", "evaluation result"
"""Found by a search in Django's administration, for superusers; and by the run and the place that the entry names."""
WITHOUT_PAGE = {"caller", "month"}
"""Kinds whose things are gone: a caller who was erased, the transcripts of a month."""
LABELS = {"knowledge_base": "knowledge base"}


def subject_address(entry: AuditEntry, reader: User) -> str:
    """The page of the thing; empty where there is none for this reader."""
    lists = LISTS | FOR_ADMINS if reader.allows(Permission.ADMINISTER) else LISTS
    if entry.subject_kind in lists:
        return reverse(lists[entry.subject_kind])
    if entry.subject_kind == PERSON and reader.is_superuser and reader.is_staff:
        return f"{reverse('admin:agentversions_user_changelist')}?{urlencode({'q': entry.subject})}"
    if entry.subject_kind == RESULT:
        return _result(entry.after)
    if entry.subject_kind == "channel" and " " in entry.subject:
        # `5 numbers`: an import.
        return reverse("channels:channel_list")
    return _page(PAGES[entry.subject_kind], entry.subject) if entry.subject_kind in PAGES else ""


def named_links(entry: AuditEntry) -> list[tuple[str, str]]:
    """The other things that the entry names, before and after, in words and with their addresses: versions of its
    agent, a request for approval, an evaluation run and its suite."""
    sides = [side for side in (entry.before, entry.after) if isinstance(side, dict)]
    return list(dict.fromkeys(link for side in sides for link in _named(entry, side) if link[1]))


def _named(entry: AuditEntry, side: dict[str, Any]) -> Iterator[tuple[str, str]]:
    agent = entry.subject if entry.subject_kind == "agent" else side.get("agent")
    if isinstance(agent, str) and entry.subject_kind != "agent":
        yield agent, _page("agentversions:agent_editor", agent)
    for name in ("baseline", "version"):
        if isinstance(agent, str) and (number := _number(side.get(name))):
            yield f"V{number}", _page("agentversions:version_detail", agent, number)
    if number := _number(side.get("request")):
        yield f"Request {number}", _page("agentversions:approval_detail", number)
    if number := _number(side.get("run")):
        yield f"Run {number}", _page("agentversions:run_detail", number)
    if isinstance(suite := side.get("suite"), str):
        yield suite, _page("agentversions:suite_detail", suite)


def _result(after: Any) -> str:
    """The page of a marked result; entries from before its place was noted lead to the run."""
    place = after if isinstance(after, dict) else {}
    run, position = _number(place.get("run")), _number(place.get("position"), least=0)
    if run is None:
        return ""
    if position is None:
        return _page("agentversions:run_detail", run)
    return _page("agentversions:run_result", run, position)


def _page(name: str, *values: str | int) -> str:
    """An address; empty where no page can have it (an entry that somebody forged, a thing of an earlier release)."""
    try:
        return reverse(name, args=values)
    except NoReverseMatch:
        return ""


def _number(value: Any, *, least: int = 1) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None
