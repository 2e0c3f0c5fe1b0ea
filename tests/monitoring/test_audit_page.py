"""The audit log's page: what it says of an entry, the chain, and what it costs."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentversions.models import AuditEntry, User
from agentversions.services import sealing
from config.origin import Origin, originating
from tests.factories import make_user
from tests.monitoring.audit_log import page_of, seal_everything, write

pytestmark = pytest.mark.django_db


def test_the_page_says_who_when_from_where_why_and_what(client: Client, reader: User) -> None:
    with originating(Origin("page", "/channels/+33198765432/route/", "203.0.113.7")):
        write("Release <7>", actor=reader, before={"route": "V1"}, after={"route": "V2", "digest": "ab" * 32})
    page = page_of(client)
    for words in (
        "Vera Viewer", "Page", "/channels/+33198765432/route/", "203.0.113.7", "Route changed", "Release &lt;7&gt;",
        "<del><bdi>V1</bdi></del>", "<ins><bdi>V2</bdi></ins>", "<ins><bdi>abababab</bdi></ins>",
        'href="/channels/+33198765432/"', "Unsealed",
    ):  # fmt: skip
        assert words in page, words
    entry = AuditEntry.objects.get()
    detail = client.get(f"/audit/{entry.pk}/").content.decode()
    assert "abababababab" in detail
    assert client.get("/audit/999999/").status_code == 404
    assert client.get(f"/audit/{10**30}/").status_code == 404


def test_who_was_renamed_since_stands_with_the_name_of_then(client: Client, reader: User) -> None:
    entry = write("one", actor=reader)
    assert "(then" not in page_of(client)
    reader.username = "nora"
    reader.save()
    assert "(then vera)" in page_of(client)
    assert "Vera Viewer (nora) (then vera)" in client.get(f"/audit/{entry.pk}/").content.decode()


def test_the_page_shows_how_far_the_chain_reaches(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing is sealed yet" in page_of(client)
    entry = write("one")
    assert "1 entry waits for its seal" in page_of(client)
    seal_everything(monkeypatch)
    page = page_of(client)
    assert "1</span> entry sealed" in page
    assert sealing.last_seal().hash[:8] in page  # type: ignore[union-attr]
    assert "never checked" in page
    assert "Nothing waits for its seal" in page
    assert f"Sealed: entry {entry.pk}" in page
    call_command("verify_audit", stdout=io.StringIO())
    assert "whole up to seal 1" in page_of(client)


def test_an_entry_that_is_not_what_was_sealed_is_marked_on_the_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("one")
    entry = write("two")
    seal_everything(monkeypatch)
    forged = sealing.seals_of([entry.pk])[entry.pk]
    monkeypatch.setattr(
        sealing, "hash_of", lambda entry, **place: "0" * 64 if entry.reason == "two" else forged.previous
    )
    page = page_of(client)
    assert page.count("Changed since") == 1
    assert "is not what was sealed" in client.get(f"/audit/{entry.pk}/").content.decode()


def test_the_page_costs_the_same_queries_however_many_entries(client: Client) -> None:
    counts = []
    for _ in range(2):
        for number in range(20):
            write(str(number), actor=make_user("viewer"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page_of(client)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_a_question_that_takes_too_long_says_what_to_do(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    write("one")
    monkeypatch.setattr("monitoring.services.audit_list.PAGE_MS", 1)
    monkeypatch.setattr(
        "monitoring.services.audit_list._narrow",
        lambda *given, **named: AuditEntry.objects.extra(where=["pg_sleep(1) IS NOT NULL"]),
    )
    assert "That took too long to find. Choose fewer days" in page_of(client, "?words=x")


@pytest.mark.parametrize("at", ["infinity", "-infinity", "0044-03-15 10:00:00+00 BC"])
def test_an_entry_whose_time_was_forged_is_said_and_hides_nothing_for_ever(
    client: Client, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    write("one")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agentversions_auditentry (at, action, subject_kind, subject, reason)"
            " VALUES (%s, '', '', '', '')",
            [at],
        )
    seal_everything(monkeypatch)
    page = page_of(client)
    assert "has a time that no calendar has" in page
    assert "2</span> entries sealed" in page
    assert "no calendar" not in page_of(client, "?days=1&until=2199-01-01")
