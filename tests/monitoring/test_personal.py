"""What is personal in calls: full numbers, summaries, transcripts and recordings, for whoever may listen."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from agentversions.models import AuditEntry
from agentversions.services.tokens import make_token
from monitoring.core.records import read_record
from monitoring.models import CallCorrection
from monitoring.services.ingest import ingest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NUMBER = "+33612345678"
CALL = {
    "id": "call-1",
    "started_at": datetime.now(UTC).isoformat(),
    "caller": NUMBER,
    "summary": "Jeanne asked for her results.",
    "recording": "https://recordings.example.com/1.wav",
    "transcript": [{"role": "user", "text": "My name is Jeanne"}],
    "analysis": {"topic": "Results"},
}


def take(**fields: Any) -> None:
    ingest([read_record({**CALL, **fields})], source="api")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/calls/export/{query}")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    return [dict(zip(lines[1], line, strict=True)) for line in lines[2:]]


@pytest.mark.parametrize("role", ["viewer", "editor", "operator", "approver"])
def test_without_the_role_a_call_shows_nothing_personal_and_says_who_may_see_it(role: str) -> None:
    take()
    client = signed_in(role)
    page = client.get("/calls/call-1/").content.decode()
    assert "•••• 5678" in page
    assert "Call reviewer role" in page
    assert "Results" in page  # the analysis
    for hidden in (NUMBER, "612345678", "12 34 56 78", "Jeanne", "recordings.example.com"):
        assert hidden not in page
    assert exported(client)[0]["caller"] == "•••• 5678"
    assert not AuditEntry.objects.filter(subject_kind__in=["call", "calls"]).exists()


@pytest.mark.parametrize("role", ["call-reviewer", "admin"])
def test_with_it_everything_is_shown_and_each_opened_call_stands_in_the_audit_log(role: str) -> None:
    take()
    client = signed_in(role)
    for _ in range(2):
        page = client.get("/calls/call-1/").content.decode()
    for shown in ("+33 6 12 34 56 78", "My name is Jeanne", "Jeanne asked", "recordings.example.com/1.wav"):
        assert shown in page
    (entry,) = AuditEntry.objects.filter(action="call read")
    assert (entry.subject_kind, entry.subject) == ("call", "call-1")


def test_an_export_with_full_callers_stands_in_the_audit_log_without_them() -> None:
    take()
    assert exported(signed_in("call-reviewer"), f"?caller=%2B{NUMBER[1:]}")[0]["caller"] == NUMBER
    entry = AuditEntry.objects.get(action="calls exported with callers")
    assert entry.after == {"filter": [["caller", "•••• 5678"]]}


def test_corrections_hide_what_was_personal_and_never_keep_a_number() -> None:
    take()
    take(event="analysis", sequence=1, caller="+33611112222", summary="Jean asked.", ended_reason="silence")
    assert "612345678" not in str(list(CallCorrection.objects.values()))
    page = signed_in("viewer").get("/calls/call-1/").content.decode()
    assert "Corrected since" in page
    assert "Jeanne" not in page
    assert "Jean asked" not in page
    assert "Jeanne asked for her results." in signed_in("call-reviewer").get("/calls/call-1/").content.decode()


def program(*scopes: str, role: str = "call-reviewer") -> Client:
    boss = make_user("admin", is_superuser=True)
    secret = make_token(name="t", roles=[role], scopes=list(scopes), owner=boss, actor=boss).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_a_token_reads_what_is_personal_only_with_the_scope_and_the_role() -> None:
    take()
    said = program("read").get("/api/v1/calls/call-1").json()
    assert (said["caller"], said["transcript"], said["summary"], said["recording"]) == ("•••• 5678", None, None, None)
    assert said["analysis"] == {"topic": "Results"}
    assert program("read", "listen", role="viewer").get("/api/v1/calls/call-1").json()["caller"] == "•••• 5678"
    assert not AuditEntry.objects.filter(action="call read").exists()
    said = program("read", "listen").get("/api/v1/calls/call-1").json()
    assert (said["caller"], said["summary"]) == (NUMBER, CALL["summary"])
    assert said["transcript"][0]["text"] == "My name is Jeanne"
    assert said["recording"] == CALL["recording"]
    assert AuditEntry.objects.filter(action="call read").count() == 1
    assert program("calls").get("/api/v1/calls/call-1").status_code == 403
    assert program("read").get("/api/v1/calls/nothing").status_code == 404
