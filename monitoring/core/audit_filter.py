"""Which entries of the audit log are looked for: read from an address and written back to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from .call_filter import text_of, time_problems

NOBODY = "(nobody)"
"""`who` of what nobody did: the product itself. No user name may look so."""
ORIGINS = {
    "page": "Page",
    "token": "API token",
    "webhook": "Webhook",
    "command": "Command",
    "worker": "Worker",
    "git": "Git",
}


@dataclass(frozen=True)
class AuditFilter:
    """Everything is a text as it stands in the address; empty means any. `problems` are (name, sentence).

    `words` stand in the reason; `days` are the last so many of the reader's, today with them.
    """

    who: str = ""
    action: str = ""
    kind: str = ""
    subject: str = ""
    origin: str = ""
    address: str = ""
    words: str = ""
    days: str = ""
    since: str = ""
    until: str = ""
    problems: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def query(self) -> str:
        """The query of this filter's address, without what is empty."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values as they stand in the address."""
        return [(name, getattr(self, name)) for name in NAMES if getattr(self, name)]

    @property
    def has_more(self) -> bool:
        """Whether it has a condition beyond those that are always shown."""
        return any(name in {"origin", "address", "since", "until"} for name, _ in self.pairs)

    def without(self, name: str) -> "AuditFilter":
        """The same without one condition."""
        cleared: dict[str, Any] = {name: ""}
        return replace(self, **cleared)


NAMES = tuple(each.name for each in fields(AuditFilter) if each.name != "problems")


def read_audit_filter(query: Mapping[str, Sequence[str]]) -> AuditFilter:
    """The filter of an address. What cannot be read stays in the filter, with a sentence among its problems."""
    texts: dict[str, Any] = {name: text_of(query.get(name, ())) for name in NAMES}
    found = AuditFilter(**texts)
    return replace(found, problems=tuple(_problems(found)))


def _problems(wanted: AuditFilter) -> list[tuple[str, str]]:
    problems = []
    if wanted.origin and wanted.origin not in ORIGINS:
        problems.append(("origin", f"Nothing comes from “{wanted.origin}”. Choose {', '.join(ORIGINS)}."))
    if wanted.address and not _is_address(wanted.address):
        problems.append(("address", f"“{wanted.address}” is no IP address. Write one like 203.0.113.7."))
    return problems + time_problems(wanted.days, wanted.since, wanted.until)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
