"""The form of a flag: a new one and a change; bad input is named at its field, and nothing that was typed is lost."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from agentversions.models import AuditEntry, User
from channels.core.flags import FlagType, FlagVariant, Rule
from channels.models import Flag
from channels.services.flag_callers import forget_caller, hash_of
from channels.services.flags import newest_revision, switch_flag
from tests.factories import make_user

from .flagged import ME, SWITCH, YOU, change, make_flag, off_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("agent")]
NEW, PAGE = "/flags/new/", "/flags/no-transfer/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def reviewer() -> Client:
    client = Client()
    client.force_login(make_user("operator", "call-reviewer"))
    return client


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def form(**fields: Any) -> dict[str, Any]:
    """A tool switch as its form sends it."""
    return {
        "type": "tool", "key": "no-transfer", "agent": "clinic", "subject": "transfer_to_human", "default": "on",
        "when_disabled": "on", "rules": "0", "step": "save", **fields,
    }  # fmt: skip


def rule(index: int = 0, **fields: Any) -> dict[str, Any]:
    return {f"rule-{index}-{name}": value for name, value in {"gives": "off", "share": "100", **fields}.items()}


def test_a_tool_is_switched_off_for_callers_from_the_form(client: Client) -> None:
    typed = form(rules="1", **rule(callers="06 12 34 56 78\n+33612345678\n\n+33 6 87 65 43 21", name="VIPs"))
    typed["rule-0-callers"] = "+33 6 12 34 56 78\n+33612345678\n\n+33 6 87 65 43 21"
    answer = client.post(NEW, typed)
    assert answer.status_code == 302
    value = newest_revision(Flag.objects.get()).value
    assert value == replace(SWITCH, rules=(off_for(ME, YOU, name="VIPs"),))
    said = page(client, PAGE)
    assert "2 callers on a list" in said
    assert "•••• 4321, •••• 5678" in said
    assert ME not in said


def test_ten_thousand_pasted_callers_with_typos_name_each_bad_line_and_lose_nothing(client: Client) -> None:
    lines = [f"+336{n:08}" for n in range(10_000)]
    lines[17], lines[4_711], lines[9_999] = "+33 6 12 34 5", "anonymous", "+336O0009999"
    answer = client.post(NEW, form(rules="1", **rule(callers="\n".join(lines))))
    said = answer.content.decode()
    assert answer.status_code == 422
    for number in (18, 4_712, 10_000):
        assert f"Line {number}: " in said
    assert said.count("<li>Line ") == 3
    assert all(line in said for line in lines)
    assert not Flag.objects.exists()
    lines[17], lines[4_711], lines[9_999] = lines[0], lines[0], lines[0]
    assert client.post(NEW, form(rules="1", **rule(callers="\n".join(lines)))).status_code == 302
    assert len(newest_revision(Flag.objects.get()).value.rules[0].callers) == 9_997


def test_whoever_may_not_see_callers_keeps_the_list_and_adds_to_it(client: Client, operator: User) -> None:
    flag = make_flag(rules=(off_for(ME, name="VIPs"),), callers=(ME,), actor=operator)
    said = page(client, PAGE)
    assert ME not in said
    assert "1 caller" in said
    typed = {"base": "1", "seen": "1"} | form(rules="1", **rule(name="Guests", place="0", callers=""))
    assert client.post(PAGE, typed).status_code == 302
    assert newest_revision(flag).value.rules == (off_for(ME, name="Guests"),)
    typed |= {"base": "2", "seen": "2", "rule-0-callers": YOU}
    assert client.post(PAGE, typed).status_code == 302
    assert newest_revision(flag).value.rules == (off_for(ME, YOU, name="Guests"),)
    assert not AuditEntry.objects.filter(action="flag callers read").exists()


def test_a_call_reviewer_sees_the_list_edits_it_and_is_recorded(reviewer: Client, operator: User) -> None:
    flag = make_flag(rules=(off_for(ME, YOU),), callers=(ME, YOU), actor=operator)
    said = page(reviewer, PAGE)
    assert f"{ME}\n{YOU}</textarea>" in said
    assert AuditEntry.objects.get(action="flag callers read").subject == "no-transfer"
    typed = {"base": "1", "seen": "1"} | form(rules="1", **rule(place="0", clear="1", callers=YOU))
    assert reviewer.post(PAGE, typed).status_code == 302
    assert newest_revision(flag).value.rules == (off_for(YOU),)
    forget_caller(bytes.fromhex(hash_of(YOU)))
    assert "1 erased caller stays" in page(reviewer, PAGE)
    empty = typed | {"base": "2", "seen": "2", "rule-0-callers": ""}
    assert reviewer.post(PAGE, empty).status_code == 302  # the erased one stays: the rule takes nobody else


def test_a_list_that_becomes_empty_would_take_everybody_and_is_refused(reviewer: Client, operator: User) -> None:
    make_flag(rules=(off_for(ME),), callers=(ME,), actor=operator)
    typed = {"base": "1", "seen": "1"} | form(rules="1", **rule(place="0", clear="1", callers=" "))
    answer = reviewer.post(PAGE, typed)
    assert answer.status_code == 422
    assert "would take everybody" in answer.content.decode()


def test_rules_are_added_moved_and_removed_without_losing_what_is_typed(client: Client) -> None:
    typed = form(rules="2", **rule(0, name="First", callers="+33 6 12 nonsense"), **rule(1, name="Second", share="ten"))
    moved = client.post(NEW, typed | {"step": "rule-up:1"}, headers=HTMX).content.decode()
    assert moved.index('value="Second"') < moved.index('value="First"')
    assert "nonsense" in moved
    assert 'value="ten"' in moved
    assert 'data-focus="rule-down-0"' in moved
    added = client.post(NEW, typed | {"step": "rule-add"}, headers=HTMX).content.decode()
    assert added.count('class="flag-rule') == 3
    assert 'data-focus="rule-name-2"' in added
    removed = client.post(NEW, typed | {"step": "rule-remove:0"}, headers=HTMX).content.decode()
    assert 'value="First"' not in removed
    assert 'value="Second"' in removed
    assert "<html" not in moved


def test_a_rule_keeps_its_salt_when_it_is_moved_and_changed(client: Client, operator: User) -> None:
    flag = make_flag(rules=(Rule("A", "off", share=10_000), Rule("B", "off", share=20_000)), actor=operator)
    before = newest_revision(flag).value
    typed = {"base": "1", "seen": "1"} | form(
        rules="2", **rule(0, name="B", place="1", share="33,333"), **rule(1, name="A", place="0", share="10")
    )
    assert client.post(PAGE, typed).status_code == 302
    after = newest_revision(flag).value
    assert [each.salt for each in after.rules] == [before.rules[1].salt, before.rules[0].salt]
    assert [each.share for each in after.rules] == [33_333, 10_000]


def test_times_are_typed_as_days_and_hours_and_said_in_words(client: Client, operator: User) -> None:
    times = {"start": "18:00", "stop": "00:00", "last": "2026-12-24"}
    typed = form(rules="1", **rule(**times)) | {"rule-0-day": ["1", "2", "3"]}
    assert client.post(NEW, typed).status_code == 302
    assert "Monday to Wednesday 18:00 to 24:00, until 24 Dec 2026" in page(client, PAGE)
    wrong = client.post(NEW, typed | {"key": "two", "rule-0-last": "tomorrow", "rule-0-share": "x"}).content.decode()
    assert "“tomorrow” is no day. Write it like 2026-12-24." in wrong
    assert "Write the share in per cent" in wrong
    assert 'value="tomorrow"' in wrong


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": "fax"}, "No version has a tool “fax”"),
        ({"key": "No!"}, "A key has 1 to 100"),
        ({"key": ""}, "A key has 1 to 100"),
        ({"agent": "nobody"}, "There is no agent “nobody”"),
        ({"type": "path", "subject": "background_sound.volume", "variant_name": "x", "variant_value": "loud"},
         "Background volume must be a number"),
        ({"type": "path", "subject": "background_sound.volume", "variant_name": "x", "variant_value": "7",
          "default": "x", "when_disabled": "x"}, "Draft with “x”: Background volume"),
        ({"type": "path", "subject": "no.such", "variant_name": "x", "variant_value": "7"}, "does not name a field"),
        ({"type": "integer", "subject": "", "variant_name": "x", "variant_value": "many"}, "Type a number"),
        ({"type": "json", "subject": "", "variant_name": "x", "variant_value": "{"}, "Line 1"),
        ({"rules": "1", **rule(channels="+33 1 00 00 00 00")}, "There is no channel +33 1 00 00 00 00"),
        ({"rules": "1", **rule(channels="somewhere else")}, "is no phone number"),
        ({"rules": "2", **rule(0), **rule(1)}, "Rule 2 can never apply: rule 1 comes before it"),
        ({"description": "x" * 600}, "at most 500 characters"),
    ],
)  # fmt: skip
def test_bad_input_is_said_beside_its_field_and_kept(client: Client, fields: dict[str, str], words: str) -> None:
    answer = client.post(NEW, form(**fields))
    said = answer.content.decode()
    assert answer.status_code == 422
    assert words in said
    for typed in (fields.get("variant_value"), fields.get("key")):
        assert not typed or typed in said
    assert not Flag.objects.exists()


def test_a_behaviour_is_chosen_from_the_fields_of_the_schema_with_their_labels(client: Client) -> None:
    said = client.post(NEW, form(type="path", subject="background_sound.enabled", step="look"), headers=HTMX)
    text = said.content.decode()
    assert (
        '<option value="background_sound.enabled" selected>Background sound – background_sound.enabled</option>' in text
    )
    assert '<optgroup label="' in text
    assert "tools[transfer_to_human].timeout_s" in text
    assert '<option value="true" selected>on</option>' in text
    assert "Saving checks it against Draft, V3 (newest)" in text
    typed = form(
        type="path", subject="background_sound.enabled", variant_name="quiet", variant_value="false", default="quiet"
    )
    typed["when_disabled"] = "version"
    assert client.post(NEW, typed).status_code == 302
    value = newest_revision(Flag.objects.get()).value
    assert (value.type, value.variants) == (FlagType.PATH, (FlagVariant("quiet", False),))


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [("boolean", "true", True), ("string", "Hi", "Hi"), ("integer", "3", 3), ("number", "0.5", 0.5),
     ("json", '{"a": 1}', {"a": 1})],
)  # fmt: skip
def test_a_plain_value_of_each_type_is_made(client: Client, kind: str, typed: str, value: Any) -> None:
    fields = {"agent": "", "subject": "", "default": "one", "when_disabled": "one"}
    assert client.post(NEW, form(type=kind, variant_name="one", variant_value=typed, **fields)).status_code == 302
    made = newest_revision(Flag.objects.get()).value
    assert made.variants == (FlagVariant("one", value),)
    assert (made.agent, made.subject) == ("", "")


def test_the_second_person_sees_what_the_first_one_changed_and_decides(client: Client, operator: User) -> None:
    flag = make_flag(actor=operator)
    change(flag, default="off", actor=make_user("operator", username="first"))
    mine = {"base": "1", "seen": "1"} | form(when_disabled="off", reason="Mine")
    answer = client.post(PAGE, mine)
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "first changed this flag in between: revision 2" in said
    assert "Everybody else: “on” → “off”" in said
    assert 'value="Mine"' in said
    assert 'name="seen" value="2"' in said
    assert client.post(PAGE, mine | {"seen": "2"}).status_code == 302
    assert newest_revision(flag).number == 3


def test_a_kill_switch_that_was_thrown_meanwhile_is_no_conflict(client: Client, operator: User) -> None:
    flag = make_flag(actor=operator)
    switch_flag(flag=flag, is_enabled=False, reason="Down", actor=make_user("operator"))
    assert client.post(PAGE, {"base": "1", "seen": "1"} | form(when_disabled="off")).status_code == 302
    assert not newest_revision(flag).value.is_enabled
