"""The audit log's filters and its pages by key."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from agentversions.models import AuditEntry, User
from agentversions.models.database import database_now
from config.origin import Origin, originating
from monitoring.core.audit_filter import NAMES, NOBODY, AuditFilter, read_audit_filter
from monitoring.services.audit_list import list_entries
from tests.monitoring.audit_log import page_of, reasons, write

pytestmark = pytest.mark.django_db


def test_filters_find_exactly_what_they_say(reader: User) -> None:
    write("one", actor=reader)
    write("100 % of _it_", actor=reader, action="made live", subject_kind="agent", subject="clinic")
    with originating(Origin("token", "ci", "203.0.113.7")):
        write("three")
    assert reasons(AuditFilter(who="vera")) == ["100 % of _it_", "one"]
    assert reasons(AuditFilter(who=NOBODY)) == ["three"]
    assert reasons(AuditFilter(who="nobody")) == []
    assert reasons(AuditFilter(kind="agent")) == ["100 % of _it_"]
    assert reasons(AuditFilter(subject="clinic")) == ["100 % of _it_"]
    assert reasons(AuditFilter(kind="channel", subject="clinic")) == []
    assert reasons(AuditFilter(action="made live")) == ["100 % of _it_"]
    assert reasons(AuditFilter(words="% OF _i")) == ["100 % of _it_"]
    assert reasons(AuditFilter(words="o_e")) == []
    assert reasons(AuditFilter(origin="token")) == ["three"]
    assert reasons(AuditFilter(address="203.0.113.7")) == ["three"]
    assert reasons(AuditFilter(days="1")) == ["three", "100 % of _it_", "one"]
    tomorrow = f"{database_now() + timedelta(days=2):%Y-%m-%d}"
    assert reasons(AuditFilter(since=tomorrow)) == []
    assert len(reasons(AuditFilter(until=tomorrow))) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [("origin", "moon"), ("address", "1.2.3"), ("days", "0"), ("since", "never"), ("until", "2026-13-01")],
)
def test_what_cannot_be_read_is_said_and_stays(client: Client, name: str, text: str) -> None:
    write("one")
    wanted = read_audit_filter({name: [text]})
    assert [problem for problem, _ in wanted.problems] == [name]
    page = page_of(client, f"?{name}={text}&kind=channel")
    assert f"“{text}”" in page
    assert page.count("Remove this filter") == 2
    assert f'value="{text}"' in page
    assert client.get(f"/audit/export/csv/?{name}={text}").status_code == 422


def test_every_filter_is_a_chip_and_stays_in_the_form(client: Client, reader: User) -> None:
    wanted = {
        "who": "gone", "action": "sold", "kind": "moon", "subject": "a&b", "origin": "git", "address": "::1",
        "words": "<b>", "days": "12", "since": "2026-11-01T10:30", "until": "2026-11-02",
    }  # fmt: skip
    assert set(wanted) == set(NAMES)
    page = client.get("/audit/", wanted).content.decode()
    assert page.count("Remove this filter") == len(wanted)
    form = page[page.index('<form class="card') : page.index("</form>", page.index('<form class="card'))]
    typed = dict(re.findall(r'<input class="form-control[^>]* name="(\w+)" value="([^"]*)"', form))
    chosen = re.findall(r'<option value="([^"]+)" selected>', form)
    escaped = {"a&b": "a&amp;b", "<b>": "&lt;b&gt;"}
    assert {*typed.values(), *chosen} == {escaped.get(value, value) for value in wanted.values()}
    # The chip of one condition leads to all others.
    href = re.findall(r'href="\?([^"]*)">(?:<svg[^§]*?</svg>)?Thing:', page)[0]
    assert "subject" not in href
    assert "who=gone" in href


def test_pages_follow_by_key_and_new_entries_move_nothing(client: Client) -> None:
    for number in range(60):
        write(str(number))
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="x", subject_kind="k", subject="s", at=database_now()) for _ in range(3)]
    )
    wanted = AuditFilter(kind="channel")
    first = list_entries(wanted)
    assert (len(first.rows), first.newer) == (50, None)
    write("new")
    second = list_entries(wanted, before=first.older)
    assert [row.entry.reason for row in second.rows] == [str(number) for number in range(9, -1, -1)]
    assert second.older is None
    back = list_entries(wanted, after=second.newer)
    assert [row.entry.pk for row in back.rows] == [row.entry.pk for row in first.rows]
    assert back.newer is not None
    page = page_of(client, "?kind=channel")
    older = re.findall(r'href="(\?[^"]*)" rel="next"', page)[0].replace("&amp;", "&")
    assert ">9<" in page_of(client, older)
    assert page_of(client, "?before=x,y&after=2026")
