"""The views of analysts: what they hold, and that their role reads them and nothing else."""

import io
import itertools
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from agentversions.models import Agent
from agentversions.services.deployments import make_live
from channels.core.routes import Follow, Target, WantedVariant, split
from channels.models import Channel
from channels.services.answered import answered_at
from channels.services.channels import change_channel
from channels.services.routes import pin
from config.embedded_credentials import SUPERUSER, load_credentials
from monitoring.core.records import read_record
from monitoring.services.analysts import VIEWS
from monitoring.services.ingest import ingest
from tests.database import as_owner
from tests.factories import make_channel, make_user, make_version

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).parents[2] / "docs" / "analysts.md"
# Roles belong to the server: each test process has its own.
GROUP, LOGIN = f"test_analysts_{os.getpid()}", f"test_analyst_ana_{os.getpid()}"


@pytest.fixture
def analyst(settings: Any) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who signed in to the database with the role that the command made."""
    if not settings.USES_EMBEDDED_POSTGRES:
        pytest.skip("Making roles is tested on the embedded PostgreSQL.")
    said = io.StringIO()
    call_command("make_analyst_role", group=GROUP, login=LOGIN, stdout=said)
    password = said.getvalue().strip().rsplit(" ", 1)[-1]
    database = str(connection.settings_dict["NAME"])
    port = load_credentials().port
    with psycopg.connect(host="127.0.0.1", port=port, user=LOGIN, password=password, dbname=database) as person:
        yield person
    with psycopg.connect(load_credentials().url(SUPERUSER, database)) as server:
        for role in (LOGIN, GROUP):
            server.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(role)))
            server.execute(sql.SQL("DROP ROLE {0}").format(sql.Identifier(role)))


def rows(person: psycopg.Connection[Any], view: str, columns: str = "*") -> list[Any]:
    statement = sql.SQL(f"SELECT {columns} FROM {view}")  # type: ignore[arg-type]
    return person.execute(statement).fetchall()


def names(statement: str) -> list[str]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def test_the_role_reads_the_three_views_and_every_table_is_refused(analyst: psycopg.Connection[Any]) -> None:
    for view in VIEWS:
        assert rows(analyst, view) == []
    tables = names(
        "SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relname NOT LIKE 'analytics\\_%'"
    )
    assert len(tables) > 60
    for table in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(analyst, table)
        analyst.rollback()
    for view in VIEWS:
        (may,) = analyst.execute("SELECT has_table_privilege(%s, 'INSERT, UPDATE, DELETE')", [view]).fetchone() or (
            True,
        )
        assert not may
    functions = names(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert len(functions) >= 4
    for function in functions:
        (may,) = analyst.execute("SELECT has_function_privilege(%s, 'EXECUTE')", [function]).fetchone() or (True,)
        assert not may, function


def test_calls_have_no_number_of_a_person(analyst: psycopg.Connection[Any], agent: Agent) -> None:
    make_channel(agent, address="+33198765432")
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    said = {"summary": "Jeanne", "transcript": [{"role": "user", "text": "Jeanne"}], "analysis": {"name": "Jeanne"},
            "recording": "https://r.example.com/Jeanne", "error": "Jeanne"}  # fmt: skip
    ours = {
        "started_at": at,
        "agent": "clinic",
        "version": 1,
        "duration_s": 60,
        "engaged": True,
        "cost": "0.5",
        "currency": "EUR",
    }
    calls = [
        {"id": "in", **ours, **said, "caller": "+33612345678", "called": "+33198765432"},
        {"id": "out", **ours, "caller": "+33198765432", "called": "+33612345678", "direction": "outbound"},
        {"id": "fine", **ours, "called": "+33198765432", "direction": "inbound", "transferred": False},
        {"id": "lost"},
    ]
    ingest([read_record(call) for call in calls], source="api")
    whole = str(rows(analyst, "analytics_calls"))
    for personal in ("12345678", "Jeanne", "5678"):
        assert personal not in whole
    columns = "call_id, number, agent, version, automated, is_error, cost, currency, attribution"
    found = {row[0]: row[1:] for row in rows(analyst, "analytics_calls", columns)}
    assert found["fine"][:5] == ("+33198765432", "clinic", 1, True, None)
    assert found["in"][:5] == ("+33198765432", "clinic", 1, False, True)
    assert found["out"][0] is None
    assert (str(found["in"][5]), found["in"][6], found["in"][7]) == ("0.500000", "EUR", "stated")
    assert found["lost"] == (None, None, None, False, None, None, None, "none")


def test_versions_say_when_they_were_live(analyst: psycopg.Connection[Any], agent: Agent) -> None:
    boss = make_user("admin")
    make_version(agent, system_prompt="Prompt 3.")
    for number in (1, 2):
        make_live(version=agent.versions.get(number=number), actor=boss)
    found = rows(analyst, "analytics_versions", "version, digest, first_live_at IS NOT NULL, is_live")
    digests = dict(agent.versions.values_list("number", "configuration_id"))
    assert sorted(found) == [(1, digests[1], True, False), (2, digests[2], True, True), (3, digests[3], False, False)]


def test_assignments_equal_what_the_history_of_the_number_answers(
    analyst: psycopg.Connection[Any], agent: Agent
) -> None:
    boss = make_user("admin")
    channel = make_channel(agent, address="+33198765432")
    arms = [WantedVariant(f"Arm {at}", Target("clinic", Follow.VERSION, at), 50_000) for at in (1, 2)]
    other = make_channel(agent, plan=split(arms, salt="s"))
    make_live(version=agent.versions.get(number=1), actor=boss)
    channel = pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=boss)
    make_live(version=agent.versions.get(number=2), actor=boss)
    channel = pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=boss)
    channel = change_channel(channel=channel, is_enabled=False, actor=boss)
    found = rows(
        analyst,
        "analytics_assignments WHERE number = '+33198765432' ORDER BY starts_at",
        "follow, version, is_enabled, share, starts_at, ends_at",
    )
    assert [row[:4] for row in found] == [
        ("draft", 0, True, 1),
        ("live", 1, True, 1),
        ("live", 2, True, 1),
        ("version", 1, True, 1),
        ("version", 1, False, 1),
    ]
    for before, after in itertools.pairwise(found):
        assert before[5] == after[4]
    assert found[-1][5] is None
    for _, version, is_enabled, _, starts_at, _ in found:
        said = answered_at(Channel.objects.get(pk=channel.pk), starts_at + timedelta(microseconds=1))
        answered = None if said.digest is None else said.version.number if said.version else 0
        assert answered == (version if is_enabled else None)
    arms_found = rows(
        analyst, f"analytics_assignments WHERE number = '{other.address}' ORDER BY 1", "variant, version, share"
    )
    assert [(name, version, float(share)) for name, version, share in arms_found] == [
        ("Arm 1", 1, 0.5),
        ("Arm 2", 2, 0.5),
    ]


def test_every_column_is_documented(analyst: psycopg.Connection[Any]) -> None:
    sections = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for view in VIEWS:
        (section,) = (each for each in sections if each.startswith(view))
        documented = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+)\|", section, flags=re.MULTILINE)))
        cursor = analyst.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(view)))
        assert sorted(documented) == sorted(column.name for column in cursor.description or [])


def test_the_command_says_its_sql_and_takes_no_name_twice(analyst: psycopg.Connection[Any]) -> None:
    said = io.StringIO()
    call_command("make_analyst_role", group=f"{GROUP}_2", sql=True, stdout=said)
    assert f'CREATE ROLE "{GROUP}_2" NOLOGIN;' in said.getvalue()
    with pytest.raises(CommandError, match="already"):
        call_command("make_analyst_role", group=GROUP, login=LOGIN, stdout=said)
