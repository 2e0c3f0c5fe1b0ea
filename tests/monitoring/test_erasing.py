"""Erasing a caller: nothing of the number is left anywhere, the figures stay, and later records bring nothing back."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agentversions.models import AuditEntry
from agentversions.services.errors import FieldRefused, NotAllowed
from channels.core.flags import Flag, FlagType, Rule
from channels.core.routes import Follow, Target, WantedVariant, split
from channels.models import FlagCaller, FlagRevision, RoutedCall
from channels.services.flag_callers import callers_in_clear, remember_callers
from channels.services.flags import create_flag
from monitoring.core.records import read_record
from monitoring.models import Call, CallContent, CallCorrection, CallLedger, HourFigures, SavedView
from monitoring.services.checking import find_differences
from monitoring.services.erasing import count_calls_of, erase_caller
from monitoring.services.ingest import ingest
from monitoring.services.rows import caller_keys, caller_of
from tests.channels.running_rollouts import make_rollout
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
NUMBER, DIGITS = "+33612345678", "12345678"
AT = datetime.now(UTC)


def take(*documents: dict[str, Any]) -> None:
    ingest([read_record(document) for document in documents], source="api")


def document(sender_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {
        "id": sender_id,
        "started_at": AT,
        "duration_s": 60,
        "caller": NUMBER,
        "engaged": True,
        "sentiment": "positive",
        "error": f"no answer from {NUMBER}",
        "ended_reason": "forwarded to 06 12 34 56 78",
        "summary": f"She gave {NUMBER}.",
        "analysis": {"number": NUMBER},
        "recording": "https://recordings.example.com/12345678.wav",
        "transcript": [{"role": "user", "text": f"It is {NUMBER}"}],
        **fields,
    }


def erase(number: str = NUMBER) -> Any:
    return erase_caller(number=number, reason="A letter of 3 March.", actor=make_user("admin"))


def test_a_caller_on_a_flags_list_is_forgotten_and_the_hash_says_nothing() -> None:
    remember_callers([NUMBER, "+33687654321"])
    erase()
    hashes = [caller_keys().hash_of(each).hex() for each in (NUMBER, "+33687654321")]
    listed = callers_in_clear(hashes, key="no-transfer", actor=make_user("admin"))
    assert (listed.callers, listed.erased) == (("+33687654321",), 1)


def occurrences(*wanted: str) -> dict[str, int]:
    """Tables and columns of the whole database in which a text or these bytes occur."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
            JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'
                AND (c.data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY', 'USER-DEFINED'))
                AND has_table_privilege(format('%I.%I', table_schema, table_name), 'SELECT')
            """
        )
        columns = cursor.fetchall()
        assert {"monitoring_call", "monitoring_callcorrection", "agentversions_auditentry"} <= {
            row[0] for row in columns
        }
        for table, column, kind in columns:
            text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
            for each in wanted:
                cursor.execute(f"SELECT count(*) FROM {table} WHERE position(%s IN {text}) > 0", [each])
                if count := cursor.fetchone()[0]:
                    found[f"{table}.{column}"] = count
    return found


def test_after_erasing_the_number_occurs_nowhere_in_the_database() -> None:
    take(document(), document("b", direction="outbound", called=NUMBER, caller="+33198765432"), document("c"))
    take({"id": "a", "sequence": 9, "summary": "Another.", "analysis": {}, "ended_reason": "x", "error": "y"})
    take(document("other", caller="+33611112222", error="x", ended_reason="x", summary="", analysis={}, transcript=[],
                  recording="https://recordings.example.com/2.wav"))  # fmt: skip
    assert len(occurrences(DIGITS)) > 5
    shown = bytes(Call.objects.get(sender_id="a").caller_hash)
    erased = erase()
    assert (erased.calls, erased.contents) == (3, 3)
    assert erased.corrections == 4
    assert occurrences(DIGITS, "06 12 34 56 78") == {}
    for call in Call.objects.filter(sender_id__in=["a", "b", "c"]):
        assert (call.caller_hash, call.caller_secret, call.caller_shown) == (None, None, "erased")
        assert (call.summary, call.analysis) == ("", None)
    assert caller_of(Call.objects.get(sender_id="other")) == "+33611112222"
    entry = AuditEntry.objects.get(action="caller erased")
    assert (entry.subject, entry.reason) == (shown.hex(), "A letter of 3 March.")
    assert caller_keys().hash_of(NUMBER) == shown


def test_flags_and_rollouts_keep_the_hash_alone_which_nobody_can_read_without_the_key() -> None:
    operator, agent = make_user("operator"), make_agent(slug="clinic")
    make_version(agent)
    make_version(agent, system_prompt="Answer in French.")
    rollout = make_rollout(agent, actor=operator)
    known = caller_keys().hash_of(NUMBER)
    listed = frozenset({known.hex(), caller_keys().hash_of("+33611112222").hex()})
    value = Flag("no-transfer", FlagType.TOOL, "on", "on", agent="clinic", subject="transfer_to_human",
                 rules=(Rule("Two of them", "off", callers=listed),))  # fmt: skip
    create_flag(value=value, callers=[NUMBER, "+33611112222"], actor=operator)
    RoutedCall.objects.create(
        rollout=rollout, call_id="a", at=AT, arm="canary", share=10_000, bucket=7, caller_hash=known, channel="support"
    )
    assert FlagCaller.objects.count() == 2
    erase()
    (left,) = FlagCaller.objects.all()
    assert bytes(left.caller_hash) == caller_keys().hash_of("+33611112222")
    assert occurrences(DIGITS, NUMBER[1:], "06 12 34 56 78", "5678") == {}
    # What remains: the keyed hash, which counts the caller once for the judge and keeps the flag's list as it was.
    assert bytes(RoutedCall.objects.get().caller_hash or b"") == known
    assert known.hex() in FlagRevision.objects.get().body


def test_the_figures_and_the_rest_of_the_call_stay() -> None:
    take(document(), document("b", error=False))
    before = list(HourFigures.objects.values())
    erase()
    assert list(HourFigures.objects.values()) == before
    assert find_differences() == []
    call = Call.objects.get(sender_id="a")
    assert (call.engaged, call.sentiment, call.duration_ms, call.is_error) == (True, 1, 60_000, True)
    assert CallLedger.objects.filter(erased_at=None).count() == 0


def test_a_record_that_comes_later_brings_nothing_back_and_the_rest_of_it_counts() -> None:
    take(document())
    erase()
    take(document())
    take(document(sequence=3, evaluation="success", duration_s=90, error=False, ended_reason="hung up"))
    call = Call.objects.get()
    assert (call.evaluation, call.duration_ms, call.caller_shown, call.caller_hash) == (
        "success",
        90_000,
        "erased",
        None,
    )
    assert (call.summary, call.analysis, CallContent.objects.count()) == ("", None, 0)
    take(document(sequence=4, caller="+33611112222", error=False, ended_reason="hung up"))
    assert Call.objects.get().caller_shown == "erased"
    assert occurrences(DIGITS, "11112222") == {}
    assert find_differences() == []


def test_a_variant_that_the_caller_decided_stays_when_a_later_record_comes() -> None:
    agent = make_agent(slug="clinic")
    for number in (1, 2):
        make_version(agent, system_prompt=f"Prompt {number}.")
    arms = [WantedVariant(f"V{at}", Target("clinic", Follow.VERSION, at), 50_000) for at in (1, 2)]
    channel = make_channel(agent, plan=split(arms, salt="s"))
    called = channel.address
    take(
        *(document(str(at), caller=f"+3361234{at:04d}", called=called, started_at=datetime.now(UTC)) for at in range(8))
    )
    before = dict(Call.objects.values_list("sender_id", "variant"))
    assert set(before.values()) == {"V1", "V2"}
    for at in range(8):
        erase(f"+3361234{at:04d}")
    take(*(document(str(at), sequence=2, called=called, evaluation="fail") for at in range(8)))
    assert dict(Call.objects.values_list("sender_id", "variant")) == before
    assert find_differences() == []


def test_corrections_of_calls_that_are_not_erased_stay_as_they_are() -> None:
    take(document(), document(sequence=1, summary="Another."))
    with connection.cursor() as cursor:
        cursor.execute("SELECT monitoring_blank_corrections(%s, %s)", [["a"], ["summary"]])
        assert cursor.fetchone() == (0,)
        # The trigger is at work again after the function.
        cursor.execute("SELECT current_setting('pgtrigger.ignore', true)")
        assert "append_only" not in (cursor.fetchone()[0] or "")
    assert CallCorrection.objects.get(field="summary").after == "Another."


def test_only_an_admin_erases_and_nobody_a_withheld_number() -> None:
    with pytest.raises(NotAllowed):
        erase_caller(number=NUMBER, reason="", actor=make_user("operator"))
    with pytest.raises(FieldRefused, match="withheld"):
        erase("anonymous")


def test_the_command_counts_asks_and_erases(monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("admin", username="ada", is_superuser=True)
    take(document(), document("b"))
    said = io.StringIO()
    call_command("erase_caller", NUMBER, dry_run=True, stdout=said)
    assert "2 calls would be erased" in said.getvalue()
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_caller", NUMBER, stdout=said)
    assert count_calls_of(NUMBER) == 2
    call_command("erase_caller", NUMBER, yes=True, stdout=said)
    assert "2 calls were erased" in said.getvalue()
    assert count_calls_of(NUMBER) == 0


def test_saved_views_forget_the_caller_and_keep_the_rest() -> None:
    owner = make_user("viewer")
    mine = SavedView.objects.create(owner=owner, name="Jeanne", query="agent=clinic&caller=06+12+34+56+78")
    other = SavedView.objects.create(owner=owner, name="Paul", query="caller=%2B33611112222")
    erase()
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.query, other.query) == ("agent=clinic", "caller=%2B33611112222")
