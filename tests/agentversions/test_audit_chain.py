"""The seals of the audit trail on the real database: sealing beside slow transactions, and tampering that is found."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from agentversions.models import AuditCheck, AuditEntry, AuditHorizon, AuditSeal
from agentversions.services.audit import record
from agentversions.services.sealing import last_seal, read_tail, seal_entries
from agentversions.tasks import seal_audit
from tests.database import as_owner

pytestmark = pytest.mark.django_db(transaction=True)


def write(*reasons: str) -> list[int]:
    return [
        record(
            action="route changed", subject_kind="channel", subject="+33198765432", reason=reason,
            before={"route": "V1"}, after={"route": "V2", "share": 0.5}, actor=None,
        ).pk
        for reason in reasons
    ]  # fmt: skip


def sealed() -> list[int]:
    return list(AuditSeal.objects.order_by("position").values_list("entry_id", flat=True))


def seal_all() -> None:
    """Seal until nothing waits; nobody writes meanwhile, so the first time finds all decided."""
    while seal_entries():
        pass
    assert read_tail(max(sealed(), default=0)).waiting == 0


def verify(*expected: str) -> str:
    out = io.StringIO()
    call_command("verify_audit", expect=list(expected), stdout=out)
    return out.getvalue()


def broken(*expected: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError, match="The chain is broken") as error:
        call_command("verify_audit", expect=list(expected), stdout=out)
    assert error.value.returncode == 1
    return out.getvalue()


TABLES = ("agentversions_auditentry", "agentversions_auditseal")
DROP_FOREIGN_KEY = """
DO $$ BEGIN EXECUTE (
    SELECT format('ALTER TABLE agentversions_auditseal DROP CONSTRAINT %I', conname) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = 'agentversions_auditseal'::regclass
); END $$
"""


@contextmanager
def tampering() -> Iterator[Any]:
    """As the owner of the tables, without triggers and foreign key: whoever has the database may do this.

    It is undone afterwards, so that one chain serves many attacks.
    """
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(DROP_FOREIGN_KEY)
        yield cursor
        transaction.set_rollback(True)


@contextmanager
def another_connection() -> Iterator[Any]:
    """A program of its own, in the application's role, whose transaction stays open."""
    values = connection.settings_dict
    with psycopg.connect(
        dbname=values["NAME"],
        user=values["USER"],
        password=values["PASSWORD"],
        host=values["HOST"],
        port=values["PORT"],
    ) as other:
        yield other


INSERT = """
INSERT INTO agentversions_auditentry (action, subject_kind, subject, reason)
VALUES ('route changed', 'channel', '+33198765432', %s) RETURNING id
"""


def test_entries_are_sealed_in_order_and_the_chain_is_whole() -> None:
    numbers = write("one", "two", "three")
    seal_all()
    assert sealed() == numbers
    assert seal_entries() == 0
    head = last_seal()
    assert head is not None
    said = verify(head.hash)
    assert "3 sealed entries checked, the chain is whole." in said
    assert f"Head: {head.hash} (seal 3, entry {numbers[-1]})" in said
    assert "No entry waits for its seal." in said
    write("four")
    assert "1 entry waits for its seal, the oldest for 0 s." in verify()
    assert [check.problems for check in AuditCheck.objects.all()] == [[], []]


def test_the_worker_seals_every_two_seconds() -> None:
    write("one")
    seal_audit(timestamp=0)
    assert len(sealed()) == 1
    periodic = {task.task.name: task.cron for task in seal_audit.blueprint.periodic_registry.periodic_tasks.values()}
    assert periodic["agentversions.seal_audit"] == "* * * * * */2"


def test_a_slow_transaction_is_waited_for_and_never_passed_over() -> None:
    with another_connection() as slow, slow.cursor() as cursor:
        cursor.execute(INSERT, ["slow"])
        held = cursor.fetchone()[0]
        (quick,) = write("quick")
        assert held < quick
        assert seal_entries() == 0
        assert seal_entries() == 0
        assert read_tail(0).waiting == 1
        slow.commit()
    seal_all()
    assert sealed() == [held, quick]
    verify()


def test_transactions_that_overlap_for_ever_do_not_hold_up_the_seals() -> None:
    """Some transaction is always under way, but none of them for long."""
    with another_connection() as one, another_connection() as other:
        running, waiting = one, other
        running.execute(INSERT, ["0"])
        for number in range(1, 7):
            seal_entries()
            waiting.execute(INSERT, [str(number)])
            running.commit()
            running, waiting = waiting, running
        assert len(sealed()) >= 3
        running.rollback()
    seal_all()
    assert sealed() == list(AuditEntry.objects.order_by("id").values_list("id", flat=True))


def test_a_rolled_back_number_stays_a_gap() -> None:
    with transaction.atomic():
        write("never")
        transaction.set_rollback(True)
    write("one")
    seal_all()
    assert len(sealed()) == 1
    verify()


def test_who_is_about_to_draw_a_number_is_waited_for() -> None:
    """A transaction holds the table before it draws, whether or not it has an id of its own."""
    with another_connection() as other:
        other.execute("LOCK TABLE agentversions_auditentry IN ROW EXCLUSIVE MODE")
        write("quick")
        assert seal_entries() == 0
        other.execute(INSERT, ["late"])
        other.commit()
    assert seal_entries() == 2


def test_transactions_that_have_nothing_to_do_with_the_trail_hold_up_nothing() -> None:
    with another_connection() as other:
        other.execute("SELECT pg_current_xact_id()")
        other.execute("SELECT count(*) FROM agentversions_auditentry")
        write("one")
        assert seal_entries() == 1


def test_writers_and_sealers_at_once_seal_everything_once_and_in_order() -> None:
    """Two slow transactions, four quick writers, three sealers, for two seconds."""
    end, failures = time.monotonic() + 2, []

    def working(action: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                while time.monotonic() < end:
                    action()
            except Exception as error:
                failures.append(error)
            finally:
                connections.close_all()

        return run

    def slowly() -> None:
        with transaction.atomic():
            write("slow, first")
            time.sleep(0.3)
            write("slow, second")

    def quickly() -> None:
        write("quick")
        time.sleep(0.002)

    def seal() -> None:
        seal_entries()
        time.sleep(0.01)

    actions = [slowly, slowly, quickly, quickly, quickly, quickly, seal, seal, seal]
    threads = [threading.Thread(target=working(action)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    during = AuditSeal.objects.count()
    seal_all()
    numbers = list(AuditEntry.objects.order_by("id").values_list("id", flat=True))
    assert during > 50
    assert sealed() == numbers
    assert AuditEntry.objects.filter(reason__startswith="slow").count() >= 8
    assert "the chain is whole" in verify()


def test_sealing_waits_for_no_writer_and_makes_none_wait() -> None:
    with another_connection() as writer:
        writer.execute(INSERT, ["under way"])
        start = time.monotonic()
        seal_entries()
        assert time.monotonic() - start < 0.5
        with another_connection() as sealer:
            sealer.execute("SELECT pg_advisory_xact_lock(hashtext('agentversions_auditseal'))")
            start = time.monotonic()
            write("while a worker seals")
            assert time.monotonic() - start < 0.5
            assert seal_entries() == 0  # another one is at it
        writer.rollback()


def test_what_waits_when_a_backup_comes_into_another_database_is_sealed() -> None:
    """The writers of the old one are unknown there."""
    write("before")
    AuditHorizon.objects.create(drawn=0, writers=["3/17"])
    seal_all()
    assert len(sealed()) == 1


def test_a_json_value_of_any_size_is_sealed() -> None:
    with another_connection() as other:
        other.execute(
            "INSERT INTO agentversions_auditentry (action, subject_kind, subject, reason, before, after)"
            " VALUES ('a', 'b', 'c', '', %s, %s)",
            ["9" * 400, '{"deep": ' + "[" * 500 + "0.1234567890123456789" + "]" * 500 + "}"],
        )
    seal_all()
    verify()


# Tampering, as the owner of the tables and with the triggers off.

Tampering = Callable[[Any, list[int]], None]
CASES: dict[str, tuple[str, Tampering]] = {
    "a changed reason": (
        "Entry {ids[2]} (seal 3) was changed.",
        lambda cursor, ids: cursor.execute("UPDATE agentversions_auditentry SET reason = 'no' WHERE id = %s", [ids[2]]),
    ),
    "a changed time": (
        "Entry {ids[2]} (seal 3) was changed.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditentry SET at = at - interval '1 microsecond' WHERE id = %s", [ids[2]]
        ),
    ),
    "a time that no calendar has": (
        "Entry {ids[2]} (seal 3) was changed.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditentry SET at = 'infinity' WHERE id = %s", [ids[2]]
        ),
    ),
    "a changed value": (
        "Entry {ids[2]} (seal 3) was changed.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditentry SET after = jsonb_set(after, '{share}', '0.50000000000000000000001')"
            " WHERE id = %s",
            [ids[2]],
        ),
    ),
    "the last entry changed": (
        "Entry {ids[4]} (seal 5) was changed.",
        lambda cursor, ids: cursor.execute("UPDATE agentversions_auditentry SET action = 'x' WHERE id = %s", [ids[4]]),
    ),
    "a deleted row": (
        "Entry {ids[2]} (seal 3) was deleted.",
        lambda cursor, ids: cursor.execute("DELETE FROM agentversions_auditentry WHERE id = %s", [ids[2]]),
    ),
    "an inserted row with a number from before": (
        "Entry {gap} was inserted: it has no seal and greater numbers do.",
        lambda cursor, ids: cursor.execute(
            "INSERT INTO agentversions_auditentry (id, at, action, subject_kind, subject, reason)"
            " SELECT %s, at, action, subject_kind, subject, 'forged' FROM agentversions_auditentry WHERE id = %s",
            [ids[2] - 1, ids[1]],
        ),
    ),
    "swapped rows": (
        "Entries {ids[1]} and {ids[3]} (seals 2 and 4) were reordered.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditentry e SET reason = o.reason, at = o.at FROM agentversions_auditentry o"
            " WHERE (e.id, o.id) IN ((%s, %s), (%s, %s))",
            [ids[1], ids[3], ids[3], ids[1]],
        ),
    ),
    "seals that changed places": (
        "Entries {ids[1]} and {ids[3]} (seals 4 and 2) were reordered.",
        lambda cursor, ids: cursor.executemany(
            "UPDATE agentversions_auditseal SET position = %s WHERE position = %s", [(100, 2), (2, 4), (4, 100)]
        ),
    ),
    "an altered seal": (
        "Seal 3 (entry {ids[2]}) was altered.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditseal SET hash = repeat('0', 64) WHERE position = 3"
        ),
    ),
    "a seal that follows another": (
        "Seal 3 (entry {ids[2]}) was altered.",
        lambda cursor, ids: cursor.execute(
            "UPDATE agentversions_auditseal SET previous = repeat('0', 64) WHERE position = 3"
        ),
    ),
    "a deleted seal": (
        "Seal 3 is missing.",
        lambda cursor, ids: cursor.execute("DELETE FROM agentversions_auditseal WHERE position = 3"),
    ),
}


def test_tampering_is_found_and_its_row_named() -> None:
    ids = write("one", "two")
    with transaction.atomic():
        write("never")
        transaction.set_rollback(True)
    ids += write("three", "four", "five")
    seal_all()
    verify()
    for case, (sentence, tamper) in CASES.items():
        with tampering() as cursor:
            tamper(cursor, ids)
            said = broken()
        assert sentence.format(ids=ids, gap=ids[2] - 1) in said, case
        named = [line for line in said.splitlines() if line.startswith(("Entr", "Seal"))]
        assert len(named) <= (5 if case == "seals that changed places" else 2), (case, named)
        assert not any(f"Entry {ids[0]} " in line for line in named), (case, named)
    verify()


def test_a_cut_off_end_is_found_by_a_head_that_was_kept() -> None:
    ids = write("one", "two", "three")
    seal_all()
    head = last_seal()
    assert head is not None
    with tampering() as cursor:
        cursor.execute("DELETE FROM agentversions_auditseal WHERE position = 3")
        cursor.execute("DELETE FROM agentversions_auditentry WHERE id = %s", [ids[2]])
        assert "the chain is whole" in verify()
        assert f"The head {head.hash} is not in the chain: its end was cut off" in broken(head.hash)
    verify()
    with tampering() as cursor:
        cursor.execute("DELETE FROM agentversions_auditseal WHERE position = 3")
        cursor.execute("DELETE FROM agentversions_auditentry WHERE id = %s", [ids[2]])
        assert "is not in the chain" in broken()  # the head of the last check is looked for as well


def test_sealing_on_heals_nothing() -> None:
    ids = write("one", "two", "three")
    seal_all()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agentversions_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE agentversions_auditentry SET reason = 'forged' WHERE id = %s", [ids[1]])
        cursor.execute("ALTER TABLE agentversions_auditentry ENABLE TRIGGER USER")
    write("four")
    seal_all()
    assert f"Entry {ids[1]} (seal 2) was changed." in broken()
    check = AuditCheck.objects.latest("id")
    assert check.problems == [f"Entry {ids[1]} (seal 2) was changed."]


def test_the_owner_cannot_delete_a_sealed_entry_by_the_way() -> None:
    """With our triggers off, the seal's foreign key still holds its entry."""
    write("one")
    seal_all()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agentversions_auditentry DISABLE TRIGGER USER")
        with pytest.raises(DatabaseError, match="foreign key"):
            cursor.execute("DELETE FROM agentversions_auditentry")
        cursor.execute("ALTER TABLE agentversions_auditentry ENABLE TRIGGER USER")


def test_a_seal_that_does_not_follow_is_refused_by_the_database() -> None:
    first, _ = write("one", "two")
    seal_all()
    (third,) = write("three")
    for position, entry, previous in ((3, third, "0" * 64), (4, third, "0" * 64), (2, third, "0" * 64), (3, first, "")):
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditSeal.objects.create(position=position, entry_id=entry, hash="1" * 64, previous=previous)


@pytest.mark.parametrize("text", ["head", "", "0" * 63])
def test_a_head_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(CommandError, match="64 hexadecimal characters"):
        call_command("verify_audit", f"--expect={text}", stdout=io.StringIO())
