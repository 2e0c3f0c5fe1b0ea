"""The audit log's page, its exports, the API, and from where an entry says it comes."""

import csv
import hashlib
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

import manage
from agentversions.models import AuditEntry, User
from agentversions.models.database import database_now
from agentversions.services import sealing
from agentversions.services.audit import record
from agentversions.services.deployments import make_live
from agentversions.services.tokens import make_token
from config.origin import GIT, Origin, client_address, current_origin, originating, task_origin
from monitoring.core.audit_filter import NAMES, NOBODY, AuditFilter, read_audit_filter
from monitoring.core.audit_words import say_difference
from monitoring.services.audit_list import every_entry, list_entries
from monitoring.views.audit_links import FOR_ADMINS, LISTS, PAGES, WITHOUT_PAGE
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reader() -> User:
    return make_user("viewer", username="vera", first_name="Vera", last_name="Viewer")


@pytest.fixture
def client(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


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


# Filters


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


# The page


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


def test_an_agents_entry_leads_to_the_agent_and_its_versions(client: Client) -> None:
    agent = make_agent(slug="clinic")
    make_live(version=make_version(agent), actor=make_user("admin"))
    page = page_of(client, "?action=made+live")
    assert 'href="/agents/clinic/"' in page
    assert 'href="/agents/clinic/versions/1/"' in page


def test_things_without_a_page_have_no_link_and_tokens_only_for_admins(client: Client) -> None:
    write(subject="5 numbers", action="channels imported")
    write(subject_kind="caller", subject="00ff")
    write(subject_kind="token", subject="7")
    page = page_of(client)
    assert 'href="/channels/5' not in page
    assert 'href="/tokens/"' not in page
    boss = Client()
    boss.force_login(make_user("admin"))
    assert page_of(boss).count('href="/tokens/"') == 2  # in the navigation, and at the entry


def test_every_kind_of_thing_has_its_page_or_is_said_to_have_none() -> None:
    written = {
        kind
        for app in ("agentversions", "channels", "monitoring")
        for path in (PROJECT / app).rglob("*.py")
        for kind in re.findall(r'\bsubject_kind="([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(written) > 8
    assert written - {*PAGES, *LISTS, *FOR_ADMINS, *WITHOUT_PAGE} == set()


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
        "monitoring.services.audit_list._ordered",
        lambda *given, **named: AuditEntry.objects.extra(where=["pg_sleep(1) IS NOT NULL"]),
    )
    assert "That took too long to find. Choose fewer days" in page_of(client, "?words=x")


# Exports


def export(client: Client, shape: str, query: str = "") -> str:
    answer = client.get(f"/audit/export/{shape}/{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


def test_the_csv_names_its_filters_and_holds_no_formula(client: Client, reader: User) -> None:
    write("=HYPERLINK(1)", actor=reader, after={"route": "V2"})
    write("@cmd", subject="-1")
    lines = list(csv.reader(io.StringIO(export(client, "csv", "?kind=channel&who=vera"))))
    assert lines[0] == ["Audit log: who vera; kind channel"]
    (row,) = [dict(zip(lines[1], line, strict=True)) for line in lines[2:]]
    assert (row["reason"], row["who"], row["after"]) == ("'=HYPERLINK(1)", "vera", '{"route": "V2"}')
    everything = list(csv.reader(io.StringIO(export(client, "csv"))))
    assert everything[0] == ["Audit log: all"]
    assert {line[5] for line in everything[2:]} == {"+33198765432", "'-1"}
    assert client.get("/audit/export/xml/").status_code == 404


def test_from_json_lines_anybody_recomputes_the_chain(
    client: Client, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with originating(Origin("page", "/x/", "203.0.113.7")):
        write("one", actor=reader, before={"route": "V1"}, after={"share": 0.5, "é": [1, None]})
        write("two\nlines")
    seal_everything(monkeypatch)
    first, *lines = export(client, "jsonl", "?kind=channel").splitlines()
    assert json.loads(first) == {"filters": {"kind": "channel"}}
    previous = "0" * 64
    for entry in map(json.loads, reversed(lines)):
        seal = entry.pop("seal")
        entry.pop("who")
        assert seal["previous"] == previous
        document = {
            "entry": {name: value for name, value in entry.items() if value is not None and value != ""},
            "position": seal["position"],
            "previous": previous,
        }
        previous = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
        assert seal["hash"] == previous
    assert len(lines) == 2


def test_a_long_export_is_read_in_pages(client: Client) -> None:
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="x", subject_kind="k", subject=str(at), at=database_now()) for at in range(2_100)]
    )
    lines = export(client, "jsonl").splitlines()[1:]
    assert len({json.loads(line)["id"] for line in lines}) == 2_100


# The API


def test_the_api_lists_by_filter_and_page(reader: User) -> None:
    boss = make_user("admin", is_superuser=True)
    secret = make_token(name="ci", roles=["viewer"], scopes=["read"], owner=boss, actor=boss).secret
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    for number in range(60):
        write(str(number), actor=reader, before={"route": "V1"})
    page = client.get("/api/v1/audit?who=vera").json()
    assert (len(page["items"]), page["items"][0]["reason"], page["items"][0]["before"]) == (50, "59", {"route": "V1"})
    assert page["items"][0]["seal"] is None
    following = client.get(page["next"]).json()
    assert ([each["reason"] for each in following["items"]][-1], following["next"]) == ("0", None)
    assert client.get("/api/v1/audit?days=x").status_code == 422
    assert client.get("/api/v1/audit?before=x").status_code == 422
    # The admin made the token: that stands there too, with nobody's page around it.
    (made,) = client.get("/api/v1/audit?action=token+made").json()["items"]
    assert made["who"] == boss.username


# From where


def test_a_page_a_token_a_command_and_a_worker_are_named(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = make_user("admin", is_superuser=True)
    browser = Client(REMOTE_ADDR="203.0.113.7")
    browser.force_login(boss)
    agent = make_agent(boss, slug="clinic")
    browser.post("/agents/clinic/archive/", {"reason": "Closed"})
    entry = AuditEntry.objects.get(action="agent archived")
    assert (entry.origin, entry.origin_name) == ("page", "/agents/clinic/archive/")
    assert entry.client_address == "203.0.113.7"

    secret = make_token(name="Nightly", roles=["admin"], scopes=["write"], owner=boss, actor=boss).secret
    program = Client(headers={"Authorization": f"Bearer {secret}"}, REMOTE_ADDR="2001:db8::1")
    assert program.post(f"/api/v1/agents/{agent.slug}/unarchive").status_code == 200
    entry = AuditEntry.objects.get(action="agent brought back")
    assert (entry.origin, entry.origin_name, entry.client_address) == ("token", "Nightly", "2001:db8::1")

    # Django's own entry closes the connection, and with it the test's transaction.
    monkeypatch.setattr(
        manage,
        "execute_from_command_line",
        lambda given: call_command(*given[1:], stdout=io.StringIO(), stderr=io.StringIO()),
    )
    manage.main(["manage.py", "create_token", "made here", "--role", "viewer", "--scopes", "read"])
    entry = AuditEntry.objects.get(reason="made here")
    assert (entry.origin, entry.origin_name, entry.client_address) == ("command", "create_token", None)

    class Context:
        class job:  # noqa: N801
            task_name = "channels.run_scheduled_step"

    task_origin(lambda: write("by the worker"), Context(), None)
    entry = AuditEntry.objects.get(reason="by the worker")
    assert (entry.origin, entry.origin_name) == ("worker", "channels.run_scheduled_step")
    with originating(Origin(GIT, "4f2a")):
        assert write("merged").origin_name == "4f2a"
    assert current_origin() == Origin()
    assert write("in a shell").origin == ""


def test_what_people_may_do_is_changed_under_the_eyes_of_the_log() -> None:
    boss = make_user("admin", is_superuser=True, is_staff=True)
    browser = Client()
    browser.force_login(boss)
    new = {
        "username": "nora",
        "email": "nora@example.com",
        "roles": "viewer",
        "password1": "a long enough 1",
        "password2": "a long enough 1",
    }
    assert browser.post("/admin/agentversions/user/add/", {**new, "usable_password": "true"}).status_code == 302
    nora = User.objects.get(username="nora")
    form = browser.get(f"/admin/agentversions/user/{nora.pk}/change/").context["adminform"].form
    typed = {name: value for name, value in form.initial.items() if isinstance(value, str)}
    changed = {
        **typed,
        "roles": "viewer,admin",
        "is_active": "on",
        "date_joined_0": "2026-11-21",
        "date_joined_1": "10:00:00",
    }
    answer = browser.post(f"/admin/agentversions/user/{nora.pk}/change/", changed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    password = {"password1": "another long 2", "password2": "another long 2", "usable_password": "true"}
    assert browser.post(f"/admin/agentversions/user/{nora.pk}/password/", password).status_code == 302
    entries = AuditEntry.objects.filter(subject_kind="person", subject="nora").order_by("id")
    assert [entry.action for entry in entries] == ["person made", "person changed", "password set"]
    assert entries[0].after == {"username": "nora", "email": "nora@example.com", "roles": ["viewer"]}
    assert (entries[1].before, entries[1].after) == ({"roles": ["viewer"]}, {"roles": ["viewer", "admin"]})
    assert {entry.actor_id for entry in entries} == {boss.pk}


@pytest.mark.parametrize(
    ("is_trusted", "remote", "forwarded", "found"),
    [
        (False, "10.0.0.1", "203.0.113.7", "10.0.0.1"),
        (True, "10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (True, "10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        (True, "10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        (True, "10.0.0.1", "unknown", "10.0.0.1"),
        (True, "10.0.0.1", "", "10.0.0.1"),
        (False, "", "", ""),
        (False, "fe80::1%eth0", "", "fe80::1"),
        (False, "2001:db8::1", "", "2001:db8::1"),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    settings: Any, is_trusted: bool, remote: str, forwarded: str, found: str
) -> None:
    settings.TRUST_PROXY = is_trusted
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request.META) == found


# Differences in words


def test_a_difference_is_said_field_by_field() -> None:
    digest = "ab" * 32
    found = say_difference(
        {"route": "V1", "label": "x", "nested": {"a": 1, "b": 2}, "gone": True},
        {"route": "V2", "label": "x", "nested": {"a": 1, "b": 3}, "digest": digest},
    )
    assert [(each.name, each.before, each.after) for each in found] == [
        ("route", "V1", "V2"),
        ("nested › b", "2", "3"),
        ("gone", "on", None),
        ("digest", None, "abababab"),
    ]
    assert [each.is_same for each in say_difference({"summary": "a"}, {"summary": "a"})] == [True]
    assert [(each.before, each.after) for each in say_difference({"version": None}, {"version": 7})] == [(None, "V7")]
    assert [(each.before, each.after) for each in say_difference({"version": 7}, None)] == [("V7", None)]
    assert say_difference(None, None) == []
    assert [(each.before, each.after) for each in say_difference(None, ["a", "b"])] == [(None, "a, b")]
    assert [(each.before, each.after) for each in say_difference({"n": 1}, {"n": True})] == [("1", "on")]
    assert len(say_difference(None, "x" * 5_000)[0].after or "") < 200
