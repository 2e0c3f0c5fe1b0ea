"""Tampering with the audit trail as the owner of its tables: each way is found, and its row is named."""

import io
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from agentversions.models import AuditCheck, AuditEntry, AuditSeal, User
from agentversions.services.audit import record
from agentversions.services.sealing import last_seal
from config.origin import Origin, originating
from tests.agentversions.audit_trail import broken, forge, seal_all, sealed, tampering, verify, write
from tests.database import as_owner
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


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


SHOWN = {
    "at": "at - interval '1 microsecond'",
    "actor_id": "{person}",
    "action": "action || '!'",
    "subject_kind": "subject_kind || '!'",
    "subject": "subject || '!'",
    "reason": "reason || '!'",
    "before": "'null'",
    "after": "NULL",
    "origin": "'page'",
    "origin_name": "'/agents/'",
    "client_address": "'203.0.113.8'",
    "actor_name": "'somebody'",
}
"""Another value for every column of an entry but its number."""
DISGUISES = {
    "the same time before Christ": "at = (to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC BC')::timestamptz",
    "a network where an address was": "client_address = '203.0.113.7/8'",
    "no address": "client_address = NULL",
    "a null where nothing was": "before = 'null'",
    "an empty text where nothing was": "before = '\"\"'",
    "a text where a number was": 'after = \'{"share": "0.5"}\'',
}


def test_every_column_of_an_entry_is_in_its_hash() -> None:
    columns = {each.attname for each in AuditEntry._meta.concrete_fields} - {"id"}
    assert columns == set(SHOWN), "A new column: add it to ChainedEntry, to ENTRY and here."
    boss = make_user("admin")
    with originating(Origin("token", "ci", "203.0.113.7")):
        ids = [record(action="a", subject_kind="b", subject="c", after={"share": 0.5}, actor=boss).pk for _ in range(3)]
    other = make_user("admin")
    seal_all()
    for change in [*(f"{name} = {SHOWN[name].format(person=other.pk)}" for name in SHOWN), *DISGUISES.values()]:
        with tampering() as cursor:
            cursor.execute(f"UPDATE agentversions_auditentry SET {change} WHERE id = %s", [ids[1]])
            assert f"Entry {ids[1]} (seal 2) was changed." in broken(), change
    verify()


def test_a_renamed_person_leaves_the_name_of_then_in_the_entry() -> None:
    boss = make_user("admin", username="vera")
    entry = record(action="a", subject_kind="b", subject="c", actor=boss)
    seal_all()
    User.objects.filter(pk=boss.pk).update(username="nora")
    entry.refresh_from_db()
    assert entry.actor_name == "vera"
    verify()


def test_an_end_that_was_taken_off_and_sealed_anew_lacks_the_head_of_the_last_check() -> None:
    ids = write("one", "two", "three")
    seal_all()
    verify()
    forge(
        "DELETE FROM agentversions_auditseal WHERE position = 3",
        f"UPDATE agentversions_auditentry SET reason = 'forged' WHERE id = {ids[2]}",
    )
    seal_all()
    assert sealed() == ids
    said = broken()
    assert "is not in the chain: its end was cut off, or what came before was rewritten." in said
    assert "Entry" not in said


def test_all_seals_deleted_and_made_anew_lack_every_head_that_was_kept() -> None:
    ids = write("one", "two", "three")
    seal_all()
    first, head = AuditSeal.objects.get(position=1), last_seal()
    assert head is not None
    forge(
        "DELETE FROM agentversions_auditseal",
        f"UPDATE agentversions_auditentry SET reason = 'forged' WHERE id = {ids[0]}",
    )
    seal_all()
    assert "the chain is whole" in verify()
    said = broken(first.hash, head.hash)
    assert f"The head {first.hash}" in said
    assert f"The head {head.hash}" in said


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
    forge(f"UPDATE agentversions_auditentry SET reason = 'forged' WHERE id = {ids[1]}")
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


def test_of_many_seals_at_once_each_has_to_follow_the_one_before() -> None:
    write("one")
    seal_all()
    head = last_seal()
    assert head is not None
    ids = write("two", "three", "four")
    good = [AuditSeal(position=at + 2, entry_id=entry, hash=f"{at + 1}" * 64) for at, entry in enumerate(ids)]
    for at, seal in enumerate(good):
        seal.previous = good[at - 1].hash if at else head.hash

    def refused(which: int, **wrong: Any) -> None:
        seals = [copy(seal) for seal in good]
        vars(seals[which - 2]).update(wrong)
        with pytest.raises(DatabaseError, match="does not follow"), transaction.atomic():
            AuditSeal.objects.bulk_create(seals)

    refused(2, previous="0" * 64)
    refused(3, previous=head.hash)
    refused(4, previous=good[0].hash)
    refused(4, position=9)
    refused(2, entry_id=ids[2] + 1)
    AuditSeal.objects.bulk_create(reversed(good))
    assert sealed()[1:] == ids


@pytest.mark.parametrize("text", ["head", "", "0" * 63])
def test_a_head_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(CommandError, match="64 hexadecimal characters"):
        call_command("verify_audit", f"--expect={text}", stdout=io.StringIO())
