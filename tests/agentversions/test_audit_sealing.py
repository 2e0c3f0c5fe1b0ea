"""Sealing the audit trail on the real database: in order, beside slow transactions, by several workers at once."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from agentversions.models import AuditCheck, AuditEntry, AuditHorizon, AuditSeal
from agentversions.services.sealing import last_seal, read_tail, seal_entries
from agentversions.tasks import seal_audit
from tests.agentversions.audit_trail import (
    INSERT,
    another_connection,
    seal_all,
    sealed,
    verify,
    write,
)

pytestmark = pytest.mark.django_db(transaction=True)


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
