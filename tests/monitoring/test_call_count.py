"""How many calls a filter finds: exact where that is cheap, else about so many."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import override

from agentversions.models import Agent
from monitoring.core.call_filter import CallFilter
from monitoring.core.records import read_record
from monitoring.models import Call
from monitoring.services.call_count import Count, count_calls
from monitoring.services.ingest import ingest
from tests.database import as_owner
from tests.factories import make_agent, make_version

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
COUNTING = "monitoring.services.call_count"


def make_clinic() -> Agent:
    agent = make_agent(slug="clinic")
    for number in (1, 2):
        make_version(agent, system_prompt=f"Prompt {number}.")
    return agent


def fill(count: int, **fields: Any) -> None:
    """Calls a minute apart, by turns of V1, V2 and the draft."""
    documents = [
        {"id": f"call-{at}", "agent": "clinic", "version": at % 3, "started_at": AT + timedelta(minutes=at),
         "duration_s": at % 600, "engaged": at % 4 > 0, **fields}
        for at in range(count)
    ]  # fmt: skip
    ingest([read_record(document) for document in documents], source="api")


@pytest.mark.django_db
def test_the_figures_know_agents_versions_and_whole_hours_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    make_clinic()
    fill(200)
    monkeypatch.setattr(f"{COUNTING}.MOST_COUNTED", 2)
    assert count_calls(CallFilter(agent="clinic", versions=("V1", "draft"))) == Count(134)
    assert count_calls(CallFilter(agent="clinic", since="2026-11-01T13:00", until="2026-11-01T15:00")) == Count(120)
    with override("Asia/Tokyo"):
        assert count_calls(CallFilter(agent="clinic", since="2026-11-02")) == Count(20)
    assert count_calls(CallFilter(agent="clinic", days="3660")) == Count(200)
    assert count_calls(CallFilter(agent="clinic", days="3660", since="2026-11-01T13:00")) == Count(140)
    assert count_calls(CallFilter(agent="clinic", since="2026-11-01T13:30")).is_exact is False


@pytest.mark.django_db
def test_few_calls_are_counted_one_by_one() -> None:
    make_clinic()
    fill(12)
    assert count_calls(CallFilter(id="call-3")) == Count(1)
    assert count_calls(CallFilter(outcome="automated")) == Count(9)
    assert count_calls(CallFilter(outcome="nonsense", problems=(("outcome", "no"),))) == Count(0)


@pytest.mark.django_db(transaction=True)
def test_many_calls_are_estimated_within_a_tenth_once_the_table_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    make_clinic()
    fill(4_000)
    monkeypatch.setattr(f"{COUNTING}.MOST_COUNTED", 1_000)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE monitoring_call")
    for wanted in (
        CallFilter(outcome="automated"),
        CallFilter(agent="clinic", versions=("V1", "V2"), shortest="100"),
        CallFilter(),
    ):
        exact = _exactly(wanted)
        said = count_calls(wanted)
        assert (said.is_exact, said.is_least) == (False, False)
        assert said.calls == pytest.approx(exact, rel=0.1), wanted
        assert said.calls % 10 == 0
    monkeypatch.setattr(f"{COUNTING}.MOST_COST", 0)  # too dear to count at all
    few = count_calls(CallFilter(shortest="500", longest="510"))
    assert (few.is_exact, few.is_least) == (False, False)
    assert few.calls == pytest.approx(_exactly(CallFilter(shortest="500", longest="510")), rel=0.5)


@pytest.mark.django_db
def test_an_estimate_never_says_less_than_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    make_clinic()
    fill(40)
    monkeypatch.setattr(f"{COUNTING}.MOST_COUNTED", 20)
    monkeypatch.setattr(f"{COUNTING}._plan", lambda query: {"Plan Rows": 3, "Total Cost": 1})
    assert count_calls(CallFilter(outcome="automated")) == Count(20, is_exact=False, is_least=True)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (Count(18_402), "18,402 calls"),
        (Count(1), "1 call"),
        (Count(18_400, is_exact=False), "About 18,400 calls"),
        (Count(10_000, is_exact=False, is_least=True), "More than 10,000 calls"),
    ],
)
def test_a_count_says_how_sure_it_is(count: Count, words: str) -> None:
    assert count.words == words


def _exactly(wanted: CallFilter) -> int:
    """Counted by itself, in Python."""
    rows = Call.objects.all().values_list("version", "duration_ms", "engaged")
    found = [row for row in rows if not wanted.versions or f"V{row[0]}" in wanted.versions]
    found = [row for row in found if row[1] >= int(wanted.shortest or 0) * 1000]
    found = [row for row in found if row[1] <= int(wanted.longest or 10**6) * 1000]
    return sum(1 for row in found if not wanted.outcome or row[2])
