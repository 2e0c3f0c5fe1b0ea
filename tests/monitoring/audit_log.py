"""What tests of the audit log share: entries, their seals, what filters find, and the page."""

from typing import Any

import pytest
from django.test import Client

from agentversions.models import AuditEntry, User
from agentversions.services import sealing
from agentversions.services.audit import record
from monitoring.core.audit_filter import AuditFilter
from monitoring.services.audit_list import every_entry


def write(reason: str = "", *, actor: User | None = None, **fields: Any) -> AuditEntry:
    return record(
        **{"action": "route changed", "subject_kind": "channel", "subject": "+33198765432", **fields},
        reason=reason,
        actor=actor,
    )


def reasons(wanted: AuditFilter) -> list[str]:
    return [entry.reason for entry in every_entry(wanted)]


def seal_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal inside the test's own transaction, whose entries no horizon would call decided."""
    monkeypatch.setattr(sealing, "_decided", lambda cursor, up_to: 2**62)
    sealing.seal_entries()


def page_of(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()
