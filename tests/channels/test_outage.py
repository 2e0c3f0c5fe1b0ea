"""PostgreSQL cut off or frozen: every number goes on being answered, also by a runtime that was started meanwhile."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from agentversions.models import Agent
from agentversions.services.tokens import find_token, revoke_token
from channels.core.routes import Follow, Target, WantedVariant, single
from channels.models import Channel
from channels.runtime import statements
from channels.runtime.application import Runtime
from channels.runtime.store import Store, checksum
from channels.services.batches import apply_moves, plan_moves
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

from .cuttable import Cuttable, cuttable
from .runtime import Answered, call, database_url, eventually, resolve_token, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent)
    return agent


@pytest.fixture
def channels(agent: Agent) -> list[Channel]:
    """On the draft, pinned, and in a test."""
    draft, pinned, tested = (make_channel(agent, address=f"+3319876543{n}") for n in range(3))
    operator = make_user("operator")
    pin(channel=pinned, target=Target("clinic", Follow.VERSION, 1), actor=operator)
    wanted = [
        WantedVariant("Control", Target("clinic", Follow.VERSION, 1), 50_000),
        WantedVariant("Draft", Target("clinic"), 50_000),
    ]
    save_route(channel=tested, plan=plan_test(wanted), actor=operator)
    return [draft, pinned, tested]


@pytest.fixture
def proxy() -> Iterator[Cuttable]:
    with cuttable(connection.settings_dict["HOST"], int(connection.settings_dict["PORT"])) as proxy:
        yield proxy


def through(proxy: Cuttable) -> str:
    return database_url().replace(f":{connection.settings_dict['PORT']}/", f":{proxy.port}/")


def ask(runtime: Runtime, token: str, number: str, caller: str = "+33612345678") -> Answered:
    return call(runtime, {"number": number, "caller": caller, "call_id": "c"}, token=token)


def everything(runtime: Runtime, token: str, channels: list[Channel]) -> list[tuple[object, ...]]:
    """What every number answers to many callers."""
    found: list[tuple[object, ...]] = []
    for channel in channels:
        for number in range(20):
            said = ask(runtime, token, channel.address, f"+336123456{number:02d}")
            assert said.status == 200, said.json
            found.append((channel.address, number, said.json["digest"], said.json["variant"]))
    return found


def has_copied(runtime: Runtime) -> bool:
    """Whether the store knows what PostgreSQL knows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM channels_routingchange_id_seq")
        (generation,) = cursor.fetchone()
    store = runtime.world.store
    return store.is_complete() and store.generation >= generation


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_every_number_is_answered_while_postgresql_is_away(
    how: str, proxy: Cuttable, tmp_path: Path, channels: list[Channel]
) -> None:
    path, token = tmp_path / "store.sqlite3", resolve_token()
    with running(path, database_url=through(proxy)) as runtime:
        before = everything(runtime, token, channels[:1])
        eventually(lambda: has_copied(runtime))
        getattr(proxy, how)()
        started = time.monotonic()
        while time.monotonic() - started < 4:
            assert everything(runtime, token, channels[:1]) == before
        said = ask(runtime, token, channels[1].address)
        assert (said.status, said.json["stale"]) == (200, True)
        away = everything(runtime, token, channels)

        # Begun while PostgreSQL is away: from the store alone, and as fast.
        again = Runtime(database_url=through(proxy), store=path, memory=2**24)
        again.start(patience=0.2)
        assert everything(again, token, channels) == away
        assert call(again, path="/readyz", method="GET").json["stale"] is True
        assert ask(again, token, "+33198765499").status == 404
        assert ask(again, "av_unknown", channels[0].address).status == 401

        proxy.mend()
        eventually(lambda: ask(again, token, channels[0].address).json["stale"] is False, 10)
        assert everything(runtime, token, channels) == everything(again, token, channels) == away
        again.stop()


def test_what_was_saved_during_the_outage_is_heard_after_it(
    proxy: Cuttable, tmp_path: Path, channels: list[Channel]
) -> None:
    path, token = tmp_path / "store.sqlite3", resolve_token()
    with running(path, database_url=through(proxy)) as runtime:
        everything(runtime, token, channels)
        eventually(lambda: has_copied(runtime))
        proxy.cut()
        runtime.world._seen_at = float("-inf")
        for memory in (runtime.world.channels, runtime.world.routes, runtime.world.tokens):
            memory.clear()
        assert ask(runtime, token, channels[0].address).json["version"] is None
        pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 1), actor=make_user("operator"))
        assert ask(runtime, token, channels[0].address).json["version"] is None
        proxy.mend()
        eventually(lambda: ask(runtime, token, channels[0].address).json["version"] == 1)


def test_a_token_revoked_before_an_outage_stays_refused_after_a_restart(
    proxy: Cuttable, tmp_path: Path, channels: list[Channel]
) -> None:
    path, token = tmp_path / "store.sqlite3", resolve_token()
    with running(path, database_url=through(proxy)) as runtime:
        assert ask(runtime, token, channels[0].address).status == 200
        found = find_token(token)
        assert found is not None
        revoke_token(token=found, actor=found.owner)
        eventually(lambda: ask(runtime, token, channels[0].address).status == 401, 5)
        eventually(lambda: has_copied(runtime))
        proxy.cut()
        again = Runtime(database_url=through(proxy), store=path, memory=2**24)
        again.start(patience=0.1)
        assert ask(again, token, channels[0].address).status == 401
        again.stop()


def test_a_slow_transaction_is_not_skipped(tmp_path: Path, channels: list[Channel]) -> None:
    """Its row has a smaller id than one that was read before it committed."""
    token, operator = resolve_token(), make_user("operator")
    with running(tmp_path / "store.sqlite3", listens=False) as runtime:
        everything(runtime, token, channels)
        with transaction.atomic():
            pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 1), actor=operator)
            _pin_in_another_session(channels[1])
            eventually(lambda: ask(runtime, token, channels[1].address).json["version"] is None, 3)
            time.sleep(1.2)
        eventually(lambda: ask(runtime, token, channels[0].address).json["version"] == 1, 3)


def _pin_in_another_session(channel: Channel) -> None:
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute(
            "UPDATE channels_channel SET route_id = (SELECT route_id FROM channels_routetarget WHERE follow = 'draft' "
            "AND position = 0 LIMIT 1) WHERE id = %s",
            [channel.pk],
        )


def test_an_older_or_empty_database_replaces_nothing(tmp_path: Path, channels: list[Channel]) -> None:
    path, token = tmp_path / "store.sqlite3", resolve_token()
    with running(path) as runtime:
        everything(runtime, token, channels)
        eventually(lambda: has_copied(runtime))
    with closing(sqlite3.connect(path)) as store, store:
        values = ("generation", "999999999")
        store.execute("UPDATE meta SET value = ?, sum = ? WHERE key = ?", (values[1], checksum(*values), values[0]))
    again = Runtime(database_url=database_url(), store=path, memory=2**24)
    again.start(patience=0.5)
    said = ask(again, token, channels[0].address)
    assert (said.status, said.json["stale"]) == (200, True)
    again.stop()
    assert Store(path).generation == 999_999_999


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: _flip(path, "UPDATE channels SET route = 'x' || substr(route, 2)"),
        lambda path: _flip(path, "UPDATE bodies SET body = body || ' '"),
        lambda path: path.write_bytes(path.read_bytes()[:9000]),
    ],
    ids=["no-database", "a-row", "a-body", "cut-short"],
)
def test_a_damaged_store_is_refused_with_a_line_in_the_log_and_never_served(
    damage: object, proxy: Cuttable, tmp_path: Path, channels: list[Channel], caplog: pytest.LogCaptureFixture
) -> None:
    path, token = tmp_path / "store.sqlite3", resolve_token()
    with running(path, database_url=through(proxy)) as runtime:
        everything(runtime, token, channels)
        eventually(lambda: has_copied(runtime))
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)  # type: ignore[operator]
    proxy.cut()
    again = Runtime(database_url=through(proxy), store=path, memory=2**24)
    again.start(patience=0.1)
    said = ask(again, token, channels[0].address)
    assert said.status == 503
    assert "is damaged" in caplog.text
    proxy.mend()
    eventually(lambda: ask(again, token, channels[0].address).status == 200, 10)
    eventually(lambda: has_copied(again), 10)
    again.stop()


def _flip(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute(statement)


def test_the_store_is_for_its_owner_alone(tmp_path: Path, channels: list[Channel]) -> None:
    path = tmp_path / "store.sqlite3"
    with running(path) as runtime:
        eventually(lambda: has_copied(runtime))
        modes = {each.name: oct(each.stat().st_mode & 0o777) for each in tmp_path.glob("store.sqlite3*")}
        assert set(modes.values()) == {"0o600"}, modes


def test_one_runtime_keeps_the_store_and_another_takes_over(tmp_path: Path, channels: list[Channel]) -> None:
    path = tmp_path / "store.sqlite3"
    with running(path) as second:
        with running(path) as first:
            eventually(lambda: has_copied(first))
        pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 1), actor=make_user("operator"))
        eventually(lambda: has_copied(second))


def test_a_folder_that_is_not_there_yet_keeps_no_call_waiting(tmp_path: Path, channels: list[Channel]) -> None:
    folder = tmp_path / "mounted-later"
    token = resolve_token()
    with running(folder / "store.sqlite3") as runtime:
        assert ask(runtime, token, channels[0].address).status == 200
        folder.mkdir()
        eventually(lambda: has_copied(runtime))


def test_more_moves_than_are_listed_are_heard_as_well(
    tmp_path: Path, channels: list[Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = statements.POLL.replace(f"<= {statements.MOST_LISTED}", "<= 1")
    assert short != statements.POLL
    monkeypatch.setattr(statements, "POLL", short)
    monkeypatch.setattr(statements, "MOST_LISTED", 1)
    token, operator = resolve_token(), make_user("operator")
    with running(tmp_path / "store.sqlite3") as runtime:
        everything(runtime, token, channels)
        moves = plan_moves(Channel.objects.all(), single(Target("clinic", Follow.VERSION, 1)))
        assert len(moves) > 1
        apply_moves(moves=moves, summary="All to V1", actor=operator)
        for channel in channels:
            eventually(lambda channel=channel: ask(runtime, token, channel.address).json["version"] == 1)  # type: ignore[misc]
        eventually(lambda: has_copied(runtime))
        pin(channel=channels[0], target=Target("clinic"), actor=operator)
        eventually(lambda: ask(runtime, token, channels[0].address).json["version"] is None)
