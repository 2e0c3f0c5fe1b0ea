"""The list of calls, one call, the export, the API and the importer."""

import csv
import gzip
import io
import json
import re
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime, override

from agentversions.models import Agent
from agentversions.models.database import database_now
from agentversions.services.tokens import make_token
from monitoring.core.call_filter import CallFilter, read_filter
from monitoring.core.histogram import percentile
from monitoring.core.records import read_record
from monitoring.models import Call, DurationFigures
from monitoring.services.call_list import every_call, list_calls
from monitoring.services.ingest import ingest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("viewer"))
    return client


def take(*documents: dict[str, Any]) -> None:
    ingest([read_record(document) for document in documents], source="api")


def fill(count: int, **fields: Any) -> None:
    """Calls a minute apart, by turns of V1, V2 and the draft."""
    documents = [
        {"id": f"call-{at}", "agent": "clinic", "version": at % 3, "started_at": AT + timedelta(minutes=at),
         "duration_s": at, "engaged": True, "caller": f"+336123400{at:02d}", **fields}
        for at in range(count)
    ]  # fmt: skip
    take(*documents)


def ids(wanted: CallFilter) -> list[str]:
    return [call.sender_id for call in every_call(wanted, "sender_id")]


def test_filters_find_exactly_what_they_say(agent: Agent) -> None:
    fill(9)
    ingest(
        [read_record({"id": "other", "error": "tool timeout", "is_test": True}), read_record({"id": "lost"})],
        source="api",
    )
    clinic = {"agent": "clinic"}
    assert ids(CallFilter(**clinic, versions=("V1",))) == ["call-7", "call-4", "call-1"]
    assert ids(CallFilter(**clinic, versions=("V1", "draft"))) == [
        "call-7",
        "call-6",
        "call-4",
        "call-3",
        "call-1",
        "call-0",
    ]
    assert ids(CallFilter(versions=("unknown",))) == ["lost"]
    assert ids(CallFilter(agent="unknown")) == ["lost"]
    assert ids(CallFilter(tests="only", outcome="error")) == ["other"]
    assert ids(CallFilter(shortest="7")) == ["call-8", "call-7"]
    assert ids(CallFilter(caller="+33 6 12 34 00 05")) == ["call-5"]
    assert ids(CallFilter(id="call-2")) == ["call-2"]
    assert ids(CallFilter(agent="none")) == []
    assert len(ids(CallFilter(outcome="automated"))) == 9


def test_pages_follow_by_key_and_new_calls_move_nothing(agent: Agent) -> None:
    fill(60)
    wanted = CallFilter(agent="clinic", versions=("V1", "V2", "draft"))
    first = list_calls(wanted)
    assert (len(first.calls), first.newer) == (50, None)
    ingest(
        [read_record({"id": "new", "agent": "clinic", "version": 1, "started_at": AT + timedelta(days=1)})],
        source="api",
    )
    second = list_calls(wanted, before=first.older)
    assert [call.sender_id for call in second.calls] == [f"call-{at}" for at in range(9, -1, -1)]
    assert second.older is None
    back = list_calls(wanted, after=second.newer)
    assert [call.sender_id for call in back.calls] == [call.sender_id for call in first.calls]
    assert back.newer is not None  # the new call


def test_the_page_shows_filters_as_chips_and_says_what_is_wrong(client: Client, agent: Agent) -> None:
    fill(3)
    page = client.get("/calls/?agent=clinic&version=V1&version=V2").content.decode()
    assert "2 calls" in page
    assert "•••• 0001" in page
    assert "612340001" not in page
    assert page.count("Remove this filter") == 3
    wrong = client.get("/calls/?version=V1&since=never")
    assert wrong.status_code == 200
    assert "Choose the agent as well" in wrong.content.decode()
    assert "is no day or moment" in wrong.content.decode()
    assert client.get("/calls/?before=x,y&after=2026").status_code == 200


@pytest.fixture
def reviewer() -> Client:
    client = Client()
    client.force_login(make_user("call-reviewer", username="ana"))
    return client


def test_the_form_keeps_every_filter_of_the_address(
    client: Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.services.call_list.MOST_OFFERED", 1)
    single = {
        "agent": "clinic",
        "variant": "canary",
        "channel": "+33198765432",
        "outcome": "error",
        "ended": "silence",
        "sentiment": "negative",
        "shortest": "10",
        "days": "12",
        "longest": "90",
        "since": "2026-11-01T10:30",
        "until": "2026-11-02",
        "caller": "+33612345678",
        "id": "call-1",
        "tests": "too",
        "rollout": "7",
        "arm": "stable",
    }
    page = client.get("/calls/", {**single, "version": ["1", "draft"]}).content.decode()
    form = page[page.index('<form class="card') : page.index("</form>", page.index('<form class="card'))]
    typed = dict(re.findall(r'<input class="form-control[^>]* name="(\w+)" value="([^"]*)"', form))
    chosen = re.findall(r'<option value="([^"]+)" selected>', form)
    assert {*typed.values(), *chosen} == set(single.values())
    assert re.findall(r'name="version" value="(\w+)" checked', form) == ["draft", "V1"]
    assert 'type="text" name="since"' in form
    assert 'type="date" name="until"' in form


def test_a_call_shows_what_was_said_and_what_handled_it(reviewer: Client, agent: Agent) -> None:
    fill(2, caller="+33612345678", transcript=[{"role": "user", "text": "<b>Hello</b>"}], analysis={"topic": "Bills"})
    page = reviewer.get("/calls/call-1/").content.decode()
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "/agents/clinic/versions/1/" in page
    assert reverse("agentversions:version_compare", args=["clinic", 1, "draft"]) in page
    assert "Bills" in page
    assert "does not fit" not in page
    assert "/calls/call-0/" in page  # the same caller
    assert reviewer.get("/calls/nothing/").status_code == 404


def test_the_export_names_its_filter_and_holds_no_formula(client: Client, agent: Agent) -> None:
    fill(3, ended_reason="=HYPERLINK(1)")
    answer = client.get("/calls/export/?agent=clinic&version=V1")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert lines[0] == ["Calls: version V1; agent clinic"]
    assert [dict(zip(lines[1], line, strict=True))["id"] for line in lines[2:]] == ["call-1"]
    assert dict(zip(lines[1], lines[2], strict=True))["ended_reason"] == "'=HYPERLINK(1)"


class Api:
    """A program with a token."""

    def __init__(self, *scopes: str) -> None:
        boss = make_user("admin", is_superuser=True)
        made = make_token(name="platform", roles=["viewer"], scopes=list(scopes), owner=boss, actor=boss)
        self._client = Client(headers={"Authorization": f"Bearer {made.secret}"})

    def send(self, body: bytes, kind: str = "application/json", **headers: str) -> tuple[int, Any]:
        answer = self._client.post("/api/v1/calls", body, content_type=kind, headers=headers)
        return answer.status_code, answer.json()

    def list(self, query: str = "") -> tuple[int, Any]:
        answer = self._client.get(f"/api/v1/calls{query}")
        return answer.status_code, answer.json()


def test_a_list_keeps_what_is_right_and_names_what_is_not(agent: Agent) -> None:
    api = Api("calls")
    status, said = api.send(json.dumps([{"id": "a"}, {"id": "b", "duration_s": -1}, 7]).encode())
    assert (status, said["calls"]) == (200, 1)
    assert [(each["index"], each["id"]) for each in said["refused"]] == [(1, "b"), (2, None)]
    lines = b'{"id": "c"}\n{"id": "c", "id": "d"}\n{"id": "e"}'
    status, said = api.send(lines, "application/x-ndjson")
    assert (status, said["calls"], [each["index"] for each in said["refused"]]) == (200, 2, [1])
    packed = gzip.compress(json.dumps({"id": "f"}).encode())
    assert api.send(packed, **{"Content-Encoding": "gzip"})[1]["calls"] == 1
    assert Call.objects.count() == 4


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}, 413),
        (json.dumps([{"id": str(at)} for at in range(1_001)]).encode(), {}, 413),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_whole(body: bytes, headers: dict[str, str], status: int) -> None:
    assert Api("calls").send(body, **headers)[0] == status
    assert not Call.objects.exists()


def test_only_the_scope_calls_sends_and_only_read_reads(agent: Agent) -> None:
    assert Api("read", "write", "resolve").send(b'{"id": "a"}')[0] == 403
    assert Api("calls").list()[0] == 403
    fill(60)
    reader = Api("read")
    status, page = reader.list("?agent=clinic")
    assert (status, len(page["items"]), page["items"][0]["caller"]) == (200, 50, "•••• 0059")
    following = reader.list(page["next"].removeprefix("/api/v1/calls"))[1]
    assert (len(following["items"]), following["next"]) == (10, None)
    assert reader.list("?version=7")[0] == 422


def test_the_corpus_is_imported_truly_and_again_without_a_change(corpus: Path, agent: Agent) -> None:
    path = corpus / "calls" / "ckm-telecom-calls.csv"
    for _ in range(2):
        call_command("import_calls", str(path), agent="clinic", agent_version=1, stdout=io.StringIO())
    call_command("check_rollups", stdout=io.StringIO())
    # Counted independently, by SQLite on the file.
    with path.open(encoding="utf-8-sig", newline="") as file, sqlite3.connect(":memory:") as other:
        other.execute("CREATE TABLE calls (sentiment, satisfied, seconds)")
        rows = [(row["sentiment"], row["satisfied"], row["EndTime"], row["StartTime"]) for row in csv.DictReader(file)]
        other.executemany("INSERT INTO calls SELECT ?1, ?2, unixepoch(?3) - unixepoch(?4)", rows)
        counted = other.execute(
            "SELECT count(*), sum(sentiment = 'Positive'), sum(satisfied = 'Yes'), sum(seconds) FROM calls"
        ).fetchone()
        lengths = sorted(seconds for (seconds,) in other.execute("SELECT seconds FROM calls"))
    calls = Call.objects.filter(agent_id=agent.pk, version=1)
    stored = (
        calls.count(),
        calls.filter(sentiment=1).count(),
        calls.filter(evaluation="success").count(),
        sum(calls.values_list("duration_ms", flat=True)) // 1000,
    )
    assert stored == counted
    for span in ("d", "m"):
        buckets: Counter[int] = Counter()
        for row in DurationFigures.objects.filter(span=span):
            buckets.update({row.part * 32 + place: getattr(row, f"b{place}") for place in range(32)})
        assert buckets.total() == len(lengths)
        for share in (0.5, 0.95):
            exact = lengths[round(share * len(lengths)) - 1] * 1000
            assert percentile(buckets, share) == pytest.approx(exact, rel=0.02)


def test_days_are_the_readers_and_today_is_one_of_them(agent: Agent) -> None:
    now = database_now()
    with override("Pacific/Auckland"):
        midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        take(
            {"id": "today", "started_at": midnight},
            {"id": "yesterday", "started_at": midnight - timedelta(seconds=1)},
            {"id": "a week ago", "started_at": midnight - timedelta(days=6, seconds=1)},
        )
        assert ids(CallFilter(days="1")) == ["today"]
        assert ids(CallFilter(days="7")) == ["today", "yesterday"]
        assert ids(CallFilter(days="8")) == ["today", "yesterday", "a week ago"]
    for wrong in ("0", "-1", "week", "99999", "²"):
        assert [name for name, _ in read_filter({"days": [wrong]}).problems] == ["days"]
