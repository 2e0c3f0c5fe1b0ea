"""Saving flags: revisions and their trail, the kill switch, checks against versions, callers as keyed hashes."""

from dataclasses import replace
from typing import Any

import pytest

from agentversions.models import Agent, AuditEntry, User
from agentversions.services.errors import ReasonMissing, RoutesFrozen
from channels.core.flag_rules import FlagReason
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagVariant, Rule
from channels.models import Channel, FlagCaller, FlagRevision, RoutingChange
from channels.services.errors import FlagMoved, FlagRefused, UnknownFlag
from channels.services.flag_callers import callers_in_clear, forget_caller, hash_of, masked_callers, remember_callers
from channels.services.flag_checking import warnings_of
from channels.services.flag_explain import explain_flag
from channels.services.flag_history import list_history
from channels.services.flag_versions import versions_to_check
from channels.services.flag_writing import WantedRule, write_rules
from channels.services.flags import archive_flag, create_flag, find_flag, newest_revision, save_flag, switch_flag
from channels.services.routes import pin
from tests.factories import make_agent, make_user, make_version

from .flagged import GREETING, ME, SOUND, SWITCH, YOU, change, make_flag, off_for
from .scheduled import V1, freeze

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("agent")]


def trail(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action, subject_kind="flag")


def test_every_change_is_a_revision_with_its_entry_in_the_trail(operator: User) -> None:
    flag = make_flag(actor=operator)
    change(flag, rules=(Rule("Half", "off", share=50_000),), actor=operator)
    switch_flag(flag=flag, is_enabled=False, reason="The CRM is down", actor=operator)
    switch_flag(flag=flag, is_enabled=True, reason="The CRM is back", actor=operator)
    archive_flag(flag=flag, reason="Done", actor=operator)
    archive_flag(flag=flag, is_archived=False, actor=operator)
    rows = list(flag.revisions.order_by("number"))
    assert [(row.number, row.value.is_enabled, row.is_archived) for row in rows] == [
        (1, True, False), (2, True, False), (3, False, False), (4, True, False), (5, True, True), (6, True, False),
    ]  # fmt: skip
    assert trail("flag created").after == {
        "revision": 1, "agent": "clinic", "type": "tool", "acts_on": "transfer_to_human",
    }  # fmt: skip
    assert trail("flag changed").after == {
        "revision": 2, "changes": ["Rule 1 “Half” added: 50 % of callers → “off”"],
    }  # fmt: skip
    assert trail("flag switched off").reason == "The CRM is down"
    assert {entry.actor for entry in AuditEntry.objects.filter(subject_kind="flag")} == {operator}
    assert [each.words for each in list_history(flag).changes] == [
        ("Brought back",), ("Archived",), ("Switched on",), ("Switched off",),
        ("Rule 1 “Half” added: 50 % of callers → “off”",), ("Created",),
    ]  # fmt: skip
    assert RoutingChange.objects.filter(kind="flag", key="no-transfer").count() == 6


def test_the_same_again_changes_nothing(operator: User) -> None:
    flag = make_flag(actor=operator)
    again = save_flag(flag=flag, value=SWITCH, actor=operator)
    switch_flag(flag=flag, is_enabled=True, reason="It is on", actor=operator)
    archive_flag(flag=flag, is_archived=False, actor=operator)
    assert again.number == 1
    assert flag.revisions.count() == 1


def test_a_save_is_refused_when_another_person_saved_meanwhile(operator: User) -> None:
    flag, other = make_flag(actor=operator), make_user("operator", username="other")
    save_flag(flag=flag, value=replace(SWITCH, default="off"), seen=1, actor=other)
    with pytest.raises(FlagMoved, match="other changed this flag in between: revision 2") as moved:
        save_flag(flag=flag, value=replace(SWITCH, when_disabled="off"), seen=1, actor=operator)
    assert moved.value.revision.number == 2
    assert newest_revision(flag).number == 2


def test_key_type_agent_and_kill_switch_stay_when_a_flag_is_saved(operator: User) -> None:
    flag = make_flag(actor=operator)
    switch_flag(flag=flag, is_enabled=False, reason="Down", actor=operator)
    saved = save_flag(flag=flag, value=replace(SWITCH, key="x", agent="", default="off"), actor=operator).value
    assert (saved.key, saved.agent, saved.is_enabled, saved.default) == ("no-transfer", "clinic", False, "off")


def test_saving_an_archived_flag_brings_it_back(operator: User) -> None:
    flag = make_flag(actor=operator)
    archive_flag(flag=flag, actor=operator)
    assert not save_flag(flag=flag, value=SWITCH, actor=operator).is_archived
    assert AuditEntry.objects.filter(action="flag brought back").count() == 1


def test_the_kill_switch_needs_a_reason_and_works_while_routes_are_frozen(operator: User) -> None:
    flag, admin = make_flag(actor=operator), make_user("admin")
    freeze()
    with pytest.raises(ReasonMissing, match="Say why"):
        switch_flag(flag=flag, is_enabled=False, reason=" ", actor=operator)
    assert not switch_flag(flag=flag, is_enabled=False, reason="Down", actor=operator).value.is_enabled
    doings: list[Any] = [
        lambda **by: switch_flag(flag=flag, is_enabled=True, **by),
        lambda **by: save_flag(flag=flag, value=replace(SWITCH, default="off"), **by),
        lambda **by: archive_flag(flag=flag, **by),
        lambda **by: create_flag(value=GREETING, **by),
    ]
    for do in doings:
        with pytest.raises(RoutesFrozen, match="Ask an admin"):
            do(reason="Urgent", actor=operator)
        do(reason="Urgent", actor=admin)


def test_every_split_rule_gets_a_random_salt_and_keeps_it_when_it_is_edited(operator: User) -> None:
    halves = (Rule("A", "off", share=50_000), Rule("B", "off", share=10_000), Rule("C", "off", frozenset({"0" * 32})))
    flag = make_flag(rules=halves, actor=operator)
    before = newest_revision(flag).value
    salts = [rule.salt for rule in before.rules]
    assert len(set(salts)) == 3
    assert [len(salt) for salt in salts] == [32, 32, 0]
    wanted = [
        WantedRule("B2", "off", 1, share=100_000),
        WantedRule("New", "off", share=5_000),
        WantedRule("A", "on", 0),
    ]
    rules = write_rules(wanted[::-1], before, may_listen=False).rules
    saved = save_flag(flag=flag, value=replace(before, rules=rules[1:]), actor=operator).value
    assert saved.rules[1].salt == salts[1]
    assert saved.rules[0].salt not in ["", *salts]


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        (replace(SWITCH, key="new"), "key", "address of a page"),
        (replace(SWITCH, key=".."), "key", "address of a page"),
        (replace(SWITCH, key="Nope!"), "key", "a–z, 0–9"),
        (replace(SWITCH, agent="nobody"), "agent", "There is no agent “nobody”"),
        (replace(SWITCH, subject="fax"), "subject", "No version has a tool “fax”. Choose one of “transfer_to_human”"),
        (replace(SOUND, subject="background_sound.loudness"), "subject", "does not name a field"),
        (replace(SOUND, subject="tools[fax].timeout_s"), "subject", "No version has “tools[fax].timeout_s”"),
        (replace(SOUND, subject="tools[transfer_to_human]"), "subject", "is a whole item"),
        (replace(SOUND, variants=(FlagVariant("loud", "very"),)), "variants.0.value", "Draft with “loud”: "),
        (replace(SWITCH, rules=(Rule("", "off", channels=frozenset({"+33100000000"})),)), "rules.0.channels",
         "There is no channel +33 1 00 00 00 00."),
        (replace(SWITCH, rules=(Rule("", "off"), off_for(ME))), "rules.1", "Rule 2 can never apply"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_its_field(value: FlagValue, path: str, words: str, operator: User) -> None:
    with pytest.raises(FlagRefused) as refused:
        create_flag(value=value, actor=operator)
    assert [error.path for error in refused.value.errors] == [path]
    assert words in refused.value.errors[0].message
    assert not FlagRevision.objects.exists()


def test_a_key_that_is_taken_and_an_archived_agent_are_refused(agent: Agent, operator: User) -> None:
    make_flag(actor=operator)
    with pytest.raises(FlagRefused, match="There is a flag “no-transfer” already"):
        make_flag(actor=operator)
    other = make_agent(slug="other")
    other.archived_at = other.created_at
    other.save(update_fields=["archived_at"])
    with pytest.raises(FlagRefused, match="is archived"):
        make_flag(key="x", agent="other", actor=operator)
    with pytest.raises(UnknownFlag, match="There is no flag “gone”"):
        find_flag("gone")


def test_a_flag_must_fit_draft_live_pinned_and_newest_versions(
    agent: Agent, channels: list[Channel], operator: User
) -> None:
    for number in (4, 5):
        make_version(agent, name=f"Version {number}", system_prompt=f"Prompt {number}.")
    pin(channel=channels[0], target=V1.targets[0], actor=operator)
    said = {str(each) for each in versions_to_check(agent)}
    assert said == {"Draft", "V1 (live, pinned)", "V5 (newest)", "V4", "V3"}
    make_version(agent, name="No tool", tools=[])
    old = make_flag(actor=operator)  # the tool is still in V1, which is live
    assert newest_revision(old).number == 1
    everywhere = {str(each) for each in versions_to_check(None)}
    assert everywhere == {"clinic Draft", "clinic V1 (live, pinned)", "clinic V6 (newest)"}


def test_flags_on_one_place_are_named_as_warnings(agent: Agent, operator: User) -> None:
    make_flag(SOUND, actor=operator)
    again = replace(SOUND, key="sound-2", rules=(Rule("", "office", variants=frozenset({"Loud"})),))
    make_flag(again, actor=operator)
    conflict, test = warnings_of(again)
    assert "“sound” and “sound-2” both act on background_sound.enabled" in conflict
    assert "No A/B test that runs now has the variant “Loud”" in test
    archive_flag(flag=find_flag("sound"), actor=operator)
    assert len(warnings_of(again)) == 1


def test_callers_are_hashes_in_the_flag_and_encrypted_beside_it(operator: User) -> None:
    flag = make_flag(rules=(off_for(ME, YOU),), callers=(ME, YOU), actor=operator)
    body = newest_revision(flag).body
    assert ME not in body
    assert hash_of(ME) in body
    rows = list(FlagCaller.objects.all())
    assert len(rows) == 2
    assert all(ME.encode() not in bytes(row.caller_secret) for row in rows)
    hashes = newest_revision(flag).value.rules[0].callers
    assert masked_callers(hashes) == ("•••• 4321", "•••• 5678")
    reviewer = make_user("operator", "call-reviewer")
    listed = callers_in_clear(hashes, key=flag.key, actor=reviewer)
    assert (listed.callers, listed.erased) == ((ME, YOU), 0)
    assert trail("flag callers read").actor == reviewer
    forget_caller(bytes.fromhex(hash_of(ME)))
    assert callers_in_clear(hashes, key=flag.key, actor=reviewer).erased == 1


def test_a_list_stays_when_somebody_saves_who_may_not_see_it(operator: User) -> None:
    remember_callers([ME, YOU])
    before = replace(SWITCH, rules=(off_for(ME),))
    keep, add, replaced = (
        WantedRule("", "off", 0), WantedRule("", "off", 0, added=(YOU,)), WantedRule("", "off", 0, callers=(YOU,)),
    )  # fmt: skip
    assert write_rules([keep], before, may_listen=False).rules[0].callers == {hash_of(ME)}
    assert write_rules([add], before, may_listen=False).rules[0].callers == {hash_of(ME), hash_of(YOU)}
    with pytest.raises(FlagRefused, match="Only people who may see callers"):
        write_rules([replaced], before, may_listen=False)
    written = write_rules([replaced], before, may_listen=True)
    assert written.rules[0].callers == {hash_of(YOU)}
    assert written.callers == (YOU,)
    with pytest.raises(FlagRefused, match="would take everybody"):
        write_rules([WantedRule("", "off", 0, callers=())], before, may_listen=True)
    with pytest.raises(FlagRefused, match="no rule 3"):
        write_rules([WantedRule("", "off", 3)], before, may_listen=True)


def test_an_erased_caller_stays_on_a_list_that_is_edited(operator: User) -> None:
    remember_callers([ME, YOU])
    before = replace(SWITCH, rules=(off_for(ME, YOU),))
    forget_caller(bytes.fromhex(hash_of(ME)))
    third = WantedRule("", "off", 0, callers=("+33611111111",))
    assert write_rules([third], before, may_listen=True).rules[0].callers == {hash_of(ME), hash_of("+33611111111")}


def test_explain_says_what_each_rule_answers_and_what_it_changes(
    agent: Agent, channels: list[Channel], operator: User
) -> None:
    pin(channel=channels[0], target=V1.targets[0], actor=operator)
    channel = Channel.objects.with_route().get(pk=channels[0].pk)
    value = replace(SWITCH, rules=(off_for(YOU), off_for(ME)))
    said = explain_flag(value, channel=channel, caller="06 12 34 56 78")
    assert [each.answer.words for each in said.rules] == ["The caller is not on its list.", "Every condition is met."]
    assert (said.evaluation.reason, said.evaluation.rule) == (FlagReason.TARGETING_MATCH, 1)
    assert said.gives == "the tool is switched off"
    assert said.effect == "clinic V1 answers with this change."
    assert said.effective not in ("", agent.versions.get(number=1).configuration_id)
    assert explain_flag(value, channel=channel, caller=None).effect == "clinic V1 answers as it is."
    assert "does nothing there" in explain_flag(replace(value, agent="other"), channel=channel).effect
    assert "Name a number" in explain_flag(value, caller=ME).effect
    assert explain_flag(GREETING).effect == "The agent's code gets this value."
