"""Flags in a worker's memory: heard like a pin, kept for the day without a database, never a reason to fail."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from agentversions.models import Agent, User
from channels.core.flags import Flag, FlagType, FlagVariant, write_flag
from channels.models import Flag as FlagRow
from channels.models import FlagRevision
from channels.runtime.application import Runtime
from channels.runtime.listener import FORGET_AFTER
from channels.runtime.store import Store
from channels.runtime.world import Unavailable
from tests.factories import make_agent, make_user

from .rows import put_flag
from .runtime import call, database_url, eventually, running
from .test_outage import has_copied

pytestmark = pytest.mark.django_db(transaction=True)
AWAY = "postgres://nobody:x@127.0.0.1:1/none"
GREETING = Flag(
    "greeting", FlagType.STRING, "one", "one", variants=(FlagVariant("one", "Hi"), FlagVariant("two", "Yo"))
)


@pytest.fixture
def actor() -> User:
    return make_user("operator")


@pytest.fixture
def agent() -> Agent:
    return make_agent(slug="clinic")


@pytest.fixture
def runtime(tmp_path: Path, actor: User) -> Iterator[Runtime]:
    put_flag(GREETING, actor)
    with running(tmp_path / "store.sqlite3") as runtime:
        yield runtime


def default_of(runtime: Runtime, key: str = "greeting") -> str | None:
    found = runtime.world.flag(key)
    return found.flag.default if found else None


def test_a_new_revision_is_heard_as_fast_as_a_pin_and_changes_the_etag(runtime: Runtime, actor: User) -> None:
    world = runtime.world
    before = world.flags
    assert (default_of(runtime), before.by_key["greeting"].revision) == ("one", 1)
    put_flag(replace(GREETING, default="two"), actor)
    eventually(lambda: default_of(runtime) == "two", 1)
    assert world.flags.by_key["greeting"].revision == 2
    assert world.flags.etag != before.etag
    assert before.by_key["greeting"].flag.default == "one"


def test_two_workers_have_the_same_etag(runtime: Runtime, tmp_path: Path, actor: User) -> None:
    put_flag(replace(GREETING, key="a"), actor)
    eventually(lambda: default_of(runtime, "a") == "one", 1)
    with running(tmp_path / "other.sqlite3") as other:
        assert other.world.flags.etag == runtime.world.flags.etag


def test_an_archived_flag_is_gone_and_comes_back_when_it_is_saved_again(runtime: Runtime, actor: User) -> None:
    put_flag(GREETING, actor, is_archived=True)
    eventually(lambda: default_of(runtime) is None, 1)
    put_flag(GREETING, actor)
    eventually(lambda: default_of(runtime) == "one", 1)


def test_an_agent_has_its_own_flags_and_those_of_all(runtime: Runtime, actor: User, agent: Agent) -> None:
    make_agent(slug="other")
    put_flag(replace(GREETING, key="mine", agent="clinic"), actor)
    eventually(lambda: default_of(runtime, "mine") == "one", 1)
    keys = {slug: [each.flag.key for each in runtime.world.flags_of(slug).in_force] for slug in ("clinic", "other")}
    assert keys == {"clinic": ["greeting", "mine"], "other": ["greeting"]}
    assert runtime.world.flags_of("clinic") is runtime.world.flags_of("clinic")


def test_a_restart_without_a_database_knows_the_flags(runtime: Runtime, tmp_path: Path, actor: User) -> None:
    put_flag(replace(GREETING, key="gone"), actor)
    put_flag(replace(GREETING, default="two"), actor)
    put_flag(replace(GREETING, key="gone"), actor, is_archived=True)
    eventually(lambda: has_copied(runtime))
    etag = runtime.world.flags.etag
    again = Runtime(database_url=AWAY, store=tmp_path / "store.sqlite3", memory=2**24)
    again.start(patience=0.1)
    assert (default_of(again), default_of(again, "gone"), again.world.flags.etag) == ("two", None, etag)
    again.stop()


def test_a_store_with_a_damaged_flag_answers_nothing(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "store.sqlite3"
    eventually(lambda: has_copied(runtime))
    runtime.stop()
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE flags SET body = replace(body, 'Hi', 'Ho')")
    again = Runtime(database_url=AWAY, store=path, memory=2**24)
    again.start(patience=0.1)
    with pytest.raises(Unavailable):
        again.world.flag("greeting")
    assert call(again, path="/readyz", method="GET").status == 503
    assert "is damaged" in caplog.text
    again.stop()


def test_a_store_of_the_format_before_is_written_anew(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TABLE channels (address TEXT PRIMARY KEY, is_enabled INTEGER, route TEXT, sum BLOB)")
        old.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID")
        old.execute("INSERT INTO meta VALUES ('complete', '1', x'00')")
    with running(path) as again:
        eventually(lambda: has_copied(again))
    rows = Store(path).flags()
    assert rows is not None
    assert [row[0] for row in rows] == ["greeting"]


def test_a_revision_that_cannot_be_read_is_left_out_and_counted(
    runtime: Runtime, actor: User, caplog: pytest.LogCaptureFixture
) -> None:
    row = FlagRow.objects.create(key="newer", created_by=actor)
    body = write_flag(replace(GREETING, key="newer")).replace('"string"', '"quaternion"')
    FlagRevision.objects.create(flag=row, number=1, body=body, created_by=actor)
    put_flag(replace(GREETING, key="later"), actor)
    eventually(lambda: default_of(runtime, "later") == "one", 1)
    assert default_of(runtime, "newer") is None
    assert call(runtime, path="/readyz", method="GET").json["flags_skipped"] == 1
    assert "“newer” was skipped" in caplog.text


def test_after_so_long_that_the_log_was_cleared_all_flags_are_read(runtime: Runtime, actor: User) -> None:
    runtime.listener.stop()
    put_flag(replace(GREETING, default="two"), actor)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM channels_routingchange")
    runtime.world._seen_at -= 2 * FORGET_AFTER
    with psycopg.connect(database_url(), autocommit=True) as database:
        runtime.listener.look(database)
    assert default_of(runtime) == "two"
