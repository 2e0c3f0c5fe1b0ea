"""Where the things of the audit log have their pages."""

from typing import Any

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
LISTS = {"freeze": "channels:freeze_list", "calls": "monitoring:call_list", "git": "agentversions:git_page"}
"""Kinds whose things stand on one page together."""
FOR_ADMINS = {"token": "agentversions:token_list"}
"""The same, for those whom these pages let in."""
WITHOUT_PAGE = {"caller", "evaluation result", "month", "person", "saved view"}
LABELS = {"knowledge_base": "knowledge base"}


def subject_address(entry: AuditEntry, reader: User) -> str:
    """The page of the thing; empty where there is none for this reader (`5 numbers` is no number)."""
    lists = LISTS | FOR_ADMINS if reader.allows(Permission.ADMINISTER) else LISTS
    if entry.subject_kind in lists:
        return reverse(lists[entry.subject_kind])
    if entry.subject_kind not in PAGES or (entry.subject_kind == "channel" and " " in entry.subject):
        return ""
    try:
        return reverse(PAGES[entry.subject_kind], args=[entry.subject])
    except NoReverseMatch:
        return ""


def version_links(entry: AuditEntry) -> list[tuple[str, str]]:
    """The versions of an agent that the entry names, before and after: words and address."""
    if entry.subject_kind != "agent":
        return []
    found = [_version(side) for side in (entry.before, entry.after)]
    return [
        (f"V{number}", reverse("agentversions:version_detail", args=[entry.subject, number]))
        for number in dict.fromkeys(each for each in found if each is not None)
    ]


def _version(side: Any) -> int | None:
    number = side.get("version") if isinstance(side, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None
