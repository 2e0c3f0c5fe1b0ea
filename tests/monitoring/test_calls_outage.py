"""PostgreSQL cut off while calls come in: whatever was acknowledged is stored once it is back."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from agentversions.services.tokens import find_token, revoke_token
from channels.runtime.application import Runtime
from config.wsgi import pages
from monitoring.models import Call, CallCorrection
from monitoring.services import ingest as ingesting
from monitoring.services import outages, receiving
from monitoring.services.checking import find_differences
from monitoring.services.outages import is_outage
from monitoring.services.replaying import replay
from monitoring.services.spool import Spool
from tests.channels.cuttable import Cuttable
from tests.channels.runtime import database_url, eventually, resolve_token, running
from tests.core import platform_payloads as payloads
from tests.monitoring.outage import behind_a_proxy, post

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/calls"


@pytest.fixture
def token() -> str:
    return resolve_token("calls")


@pytest.fixture
def proxy() -> Iterator[Cuttable]:
    with behind_a_proxy() as proxy:
        yield proxy


@pytest.fixture
def runtime(token: str, proxy: Cuttable, tmp_path: Path, spool: Spool) -> Iterator[Runtime]:
    with running(tmp_path / "store.sqlite3", database_url=database_url(), behind=pages, facts=spool.facts) as runtime:
        eventually(runtime.world.store.is_complete)
        yield runtime


def send(runtime: Runtime | None, token: str, *ids: str) -> tuple[int, dict[str, str], Any]:
    body = json.dumps([{"id": each} for each in ids]).encode()
    return post(runtime, PATH, body, authorization=f"Bearer {token}")


def ids() -> set[str]:
    return set(Call.objects.values_list("sender_id", flat=True))


def replay_all(count: int) -> None:
    """Replay until so many records were taken in: connections come back one after another."""
    taken = 0

    def has_taken() -> bool:
        nonlocal taken
        taken += replay()
        return taken >= count

    eventually(has_taken, 15)
    assert taken == count


def test_records_that_come_while_the_database_is_away_are_kept_and_stored_when_it_is_back(
    runtime: Runtime, proxy: Cuttable, token: str, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(runtime, token, "before")[0] == 200
    proxy.cut()
    status, _, said = send(runtime, token, "away-1", "away-2")
    assert (status, said) == (202, {"calls": 2, "refused": []})
    body = json.dumps([{"id": "away-3"}, {"id": "wrong", "duration_s": -1}]).encode()
    status, _, said = post(runtime, PATH, body, authorization=f"Bearer {token}")
    assert (status, said["calls"], said["refused"][0]["id"]) == (202, 1, "wrong")
    assert spool.facts()["calls_waiting_bytes"] > 0
    proxy.mend()
    eventually(runtime.world.is_fresh, 10)
    monkeypatch.setattr(outages, "_away_until", 0.0)
    eventually(lambda: send(runtime, token, "after")[0] == 200, 10)
    # The request that found the database back has begun the replay.
    eventually(lambda: not spool.has_waiting, 10)
    assert ids() == {"before", "away-1", "away-2", "away-3", "after"}


def test_tokens_are_checked_without_the_database_too(runtime: Runtime, proxy: Cuttable, token: str) -> None:
    other = resolve_token("read")
    revoked = resolve_token("calls")
    found = find_token(revoked)
    assert found is not None
    revoke_token(token=found, actor=found.owner)
    eventually(lambda: _is_known_revoked(runtime, found.digest), 5)
    proxy.cut()
    assert send(runtime, token, "a")[0] == 202
    assert send(runtime, other, "b")[0] == 403
    assert send(runtime, revoked, "c")[0] == 401
    assert send(runtime, "av_unknown", "d")[0] == 401
    proxy.mend()
    outages._away_until = 0.0
    replay_all(1)
    assert ids() == {"a"}


def _is_known_revoked(runtime: Runtime, digest: str) -> bool:
    known = runtime.world.store.token(digest)
    return known is not None and not known.is_usable


def test_a_token_that_cannot_be_checked_is_a_503_and_nothing_is_kept(
    proxy: Cuttable, token: str, spool: Spool, tmp_path: Path
) -> None:
    proxy.cut()
    nothing_known = Runtime(database_url=database_url(), store=tmp_path / "none.sqlite3", memory=2**20, behind=pages)
    nothing_known.start(patience=0.1)
    for runtime in (None, nothing_known):
        status, headers, said = send(runtime, token, "a")
        assert (status, headers["Retry-After"], said["type"][-13:]) == (503, "5", "database-away")
    nothing_known.stop()
    assert spool.size == 0


def test_a_platforms_event_is_kept_by_its_signature_alone(
    runtime: Runtime, proxy: Cuttable, spool: Spool, settings: Any
) -> None:
    settings.CALL_WEBHOOK_SECRETS = {"vapi": ["s"]}
    proxy.cut()
    for body in payloads.vapi():
        status, _, said = post(runtime, "/api/v1/calls/webhooks/vapi", body, x_vapi_secret="s")
        assert (status, said["calls"]) == (202, 1)
        assert post(runtime, "/api/v1/calls/webhooks/vapi", body, x_vapi_secret="x")[0] == 403
    proxy.mend()
    replay_all(3)
    call = Call.objects.get()
    assert (call.source, call.is_over, call.evaluation) == ("vapi", True, "success")


def test_a_full_spool_is_a_503_that_says_so(runtime: Runtime, proxy: Cuttable, token: str, settings: Any) -> None:
    settings.CALL_SPOOL_LIMIT = 300
    proxy.cut()
    assert send(runtime, token, "a")[0] == 202
    status, headers, said = send(runtime, token, *(f"call-{index}" for index in range(20)))
    assert (status, headers["Retry-After"], "full" in said["detail"]) == (503, "30", True)
    proxy.mend()
    replay_all(1)
    assert ids() == {"a"}


def test_a_connection_that_breaks_in_the_middle_of_taking_in_loses_nothing(
    runtime: Runtime, proxy: Cuttable, token: str, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at each statement of the transaction in turn; the token was found in the database."""
    real, statuses, cut = receiving.ingest, {}, []
    for step in range(1, 12):
        seen = 0

        def count(execute: Any, sql: Any, params: Any, many: Any, context: Any, step: int = step) -> Any:
            nonlocal seen
            seen += 1
            if seen == step:
                cut.append(step)
                proxy.cut()
            return execute(sql, params, many, context)

        def ingest(records: Any, **more: Any) -> int:
            with connection.execute_wrapper(count):
                return real(records, **more)

        monkeypatch.setattr(receiving, "ingest", ingest)
        monkeypatch.setattr(outages, "_away_until", 0.0)
        statuses[step] = send(runtime, token, f"call-{step}")[0]
        proxy.mend()
        eventually(runtime.world.is_fresh, 10)
    monkeypatch.setattr(receiving, "ingest", real)
    assert {statuses[step] for step in cut} == {202}
    assert set(statuses.values()) <= {200, 202}
    assert len(cut) >= 2
    eventually(lambda: bool(replay()) or not spool.has_waiting, 15)
    assert ids() == {f"call-{step}" for step in range(1, 12)}


def test_a_connection_that_breaks_inside_copy_loses_nothing(
    runtime: Runtime, proxy: Cuttable, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django wraps no error of COPY: it comes as psycopg's own."""
    real = ingesting._stored

    def stored(name: str, value: Any) -> Any:
        proxy.cut()
        return real(name, value)

    with monkeypatch.context() as patched:
        patched.setattr(ingesting, "_stored", stored)
        assert send(runtime, token, "a")[0] == 202
    proxy.mend()
    replay_all(1)
    assert ids() == {"a"}


def test_a_commit_whose_answer_was_lost_is_counted_once(
    runtime: Runtime, token: str, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = receiving.ingest

    def ingest(records: Any, **more: Any) -> int:
        real(records, **more)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "ingest", ingest)
        assert send(runtime, token, "a", "b")[0] == 202
    assert (ids(), spool.has_waiting) == ({"a", "b"}, True)
    before = list(Call.objects.order_by("sender_id").values())
    replay_all(2)
    assert list(Call.objects.order_by("sender_id").values()) == before
    assert not CallCorrection.objects.exists()
    assert find_differences() == []


def test_requests_do_not_queue_for_a_dead_server(runtime: Runtime, proxy: Cuttable, token: str) -> None:
    proxy.cut()
    assert send(runtime, token, "first")[0] == 202
    started = time.monotonic()
    for index in range(10):
        assert send(runtime, token, f"call-{index}")[0] == 202
    assert time.monotonic() - started < 2
    proxy.mend()
    replay_all(11)


def test_ready_says_how_much_waits(runtime: Runtime, proxy: Cuttable, token: str, spool: Spool) -> None:
    from tests.channels.runtime import call

    assert call(runtime, path="/readyz", method="GET").json["calls_waiting_bytes"] == 0
    proxy.cut()
    send(runtime, token, "a")
    said = call(runtime, path="/readyz", method="GET").json
    assert said["calls_waiting_bytes"] == spool.size > 0
    proxy.mend()
    replay_all(1)


def test_a_replay_stops_while_the_database_is_away_and_removes_nothing(
    runtime: Runtime, proxy: Cuttable, token: str, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.cut()
    send(runtime, token, "a")
    before = spool.size
    assert replay() == 0
    assert spool.size == before
    assert "The spool waits" in caplog.text
    proxy.mend()
    replay_all(1)


def test_what_is_wrong_with_a_question_is_no_outage() -> None:
    for kind, is_away in (
        (psycopg.errors.DeadlockDetected, True),
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.DiskFull, True),
        (psycopg.errors.ReadOnlySqlTransaction, True),
        (psycopg.errors.StatementTooComplex, False),
        (psycopg.errors.UndefinedTable, False),
        (psycopg.errors.NumericValueOutOfRange, False),
    ):
        wrapped = OperationalError("x")
        wrapped.__cause__ = kind("x")
        assert (is_outage(kind("x")), is_outage(wrapped)) == (is_away, is_away)
    assert is_outage(psycopg.OperationalError("the connection is lost"))
    assert not is_outage(ValueError("x"))


def test_one_thread_replays_at_a_time(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitoring.services import replaying

    running_now, most, gate = 0, 0, threading.Event()

    def slow() -> int:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        gate.wait(5)
        running_now -= 1
        return 0

    monkeypatch.setattr(replaying, "replay", slow)
    for _ in range(5):
        replaying.replay_soon()
    gate.set()
    eventually(lambda: not replaying._replaying.locked())
    assert most == 1
