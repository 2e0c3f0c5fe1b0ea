"""The pages of flags: list, kill switch, history, archive, what could go, who has it, and who may see it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.flags import Rule
from channels.models import Channel, FlagRevision
from channels.services.flags import archive_flag, newest_revision, switch_flag
from tests.factories import make_user, make_version

from .flagged import GREETING, ME, SOUND, YOU, change, make_flag, off_for
from .scheduled import freeze

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("agent")]
NEW, PAGE = "/flags/new/", "/flags/no-transfer/"
HTMX = {"HX-Request": "true"}


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_kill_switch_asks_why_and_says_what_everybody_gets(client: Client, operator: User) -> None:
    flag = make_flag(rules=(off_for(ME),), actor=operator)
    said = page(client, f"{PAGE}switch/")
    assert "Switch no-transfer off?" in said
    assert "the tool stays as the version has it" in said
    refused = client.post(f"{PAGE}switch/", {"to": "off", "reason": " "}, headers=HTMX)
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    freeze()
    done = client.post(f"{PAGE}switch/", {"to": "off", "reason": "CRM down"}, headers=HTMX)
    assert "is switched off" in done.content.decode()
    assert "flag-changed" in done.headers["HX-Trigger"]
    assert 'aria-checked="false"' in page(client, "/flags/")
    assert newest_revision(flag).reason == "CRM down"
    frozen = client.post(f"{PAGE}switch/", {"to": "on", "reason": "Back"}, headers=HTMX)
    assert frozen.status_code == 422
    assert "Ask an admin" in frozen.content.decode()


def test_an_earlier_revision_comes_back_after_showing_what_it_changes(client: Client, operator: User) -> None:
    flag = make_flag(rules=(off_for(ME),), callers=(ME,), actor=operator)
    change(flag, rules=(), default="off", actor=operator)
    switch_flag(flag=flag, is_enabled=False, reason="Down", actor=operator)
    said = page(client, f"{PAGE}history/1/")
    assert "Rule 1 added: 1 caller on a list" in said
    assert "Switched on" not in said
    assert client.post(f"{PAGE}history/1/", {"reason": ""}).status_code == 302
    back = newest_revision(flag)
    assert (back.number, back.reason, back.value.is_enabled) == (4, "Revision 1 again", False)
    assert back.value.rules == (off_for(ME),)
    assert client.get(f"{PAGE}history/9/").status_code == 404
    assert "Everybody else: “off” → “on”" in page(client, f"{PAGE}history/")


def test_archiving_puts_a_flag_away_and_brings_it_back(client: Client, operator: User) -> None:
    flag = make_flag(actor=operator)
    assert client.post(f"{PAGE}archive/", {"to": "archive", "reason": "Done"}).status_code == 302
    assert newest_revision(flag).is_archived
    assert "is archived" in page(client, PAGE)
    assert "no-transfer" not in page(client, "/flags/")
    assert "no-transfer" in page(client, "/flags/?state=archived")
    assert "It acts on nothing" in page(client, PAGE)
    assert client.post(f"{PAGE}archive/", {"to": "back"}).status_code == 302
    assert not newest_revision(flag).is_archived


def test_the_list_is_searched_and_filtered(client: Client, operator: User) -> None:
    make_flag(actor=operator)
    make_flag(GREETING, actor=operator)
    switch_flag(flag=make_flag(SOUND, actor=operator), is_enabled=False, reason="Noise", actor=operator)

    def shown(query: str) -> set[str]:
        said = page(client, f"/flags/?{query}")
        return {key for key in ("no-transfer", "greeting", "sound") if f'href="/flags/{key}/"' in said}

    assert shown("") == {"no-transfer", "greeting", "sound"}
    assert shown("q=transfer+human") == {"no-transfer"}
    assert shown("agent=clinic") == {"no-transfer", "sound"}
    assert shown("type=string") == {"greeting"}
    assert shown("state=off") == {"sound"}
    assert shown("q=nothing") == set()


def test_flags_that_have_done_their_work_are_listed_with_what_to_do(
    client: Client, agent: Agent, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_flag(actor=operator)
    make_flag(GREETING, rules=(Rule("", "warm", share=50_000),), actor=operator)
    assert "Every flag is in use" in page(client, "/flags/stale/")
    make_version(agent, name="No tool", tools=[])
    assert "Every flag is in use" in page(client, "/flags/stale/")  # V1 is live and has it
    later = FlagRevision.objects.earliest("created_at").created_at + timedelta(days=31)
    monkeypatch.setattr("channels.services.flag_list.database_now", lambda: later)
    said = page(client, "/flags/stale/")
    assert "Has changed nothing for 31 days" in said
    assert "greeting" not in said
    assert "Has changed nothing for 31 days" in page(client, "/flags/")


def test_a_tool_that_no_live_or_newest_version_has_marks_its_flag(client: Client, agent: Agent, operator: User) -> None:
    make_flag(actor=operator)
    make_live(version=make_version(agent, name="No tool", tools=[]), actor=operator)
    assert "Tool transfer_to_human is in no live or newest version any more" in page(client, "/flags/stale/")


def test_who_has_it_is_explained_rule_by_rule(client: Client, channels: list[Channel], operator: User) -> None:
    make_flag(rules=(off_for(YOU), off_for(ME)), callers=(ME, YOU), actor=operator)
    address = channels[0].address
    said = page(client, f"{PAGE}explain/?caller=06+12+34+56+78&channel=%2B{address[1:]}&at=2040-11-26T12:00")
    assert "Caller +33 6 12 34 56 78" in said
    assert "Monday 26 Nov 2040, 12:00 (UTC)" in said
    assert said.index("The caller is not on its list.") < said.index("Every condition is met.")
    assert "TARGETING_MATCH" in said
    assert "the draft answers with this change" in said
    assert "There is no channel" in page(client, f"{PAGE}explain/?channel=%2B33100000000")
    assert "Give a date and a time" in page(client, f"{PAGE}explain/?at=noon")


def test_the_agents_page_and_its_versions_say_which_flags_act_on_it(client: Client, operator: User) -> None:
    assert "No flag acts on this agent" in page(client, "/agents/clinic/flags/")
    make_flag(actor=operator)
    make_flag(SOUND, agent="", actor=operator)
    make_flag(GREETING, actor=operator)
    archive_flag(flag=make_flag(SOUND, key="old", actor=operator), actor=operator)
    said = page(client, "/agents/clinic/flags/")
    assert "2 flags act on it" in said
    assert "no-transfer" in said
    for path in ("/agents/clinic/", "/agents/clinic/versions/"):
        assert 'hx-get="/agents/clinic/flags/"' in page(client, path)


def test_a_reader_sees_what_a_flag_does_and_no_form(operator: User) -> None:
    make_flag(rules=(off_for(ME),), callers=(ME,), actor=operator)
    viewer = Client()
    viewer.force_login(make_user("viewer"))
    said = page(viewer, PAGE)
    assert "1 caller on a list" in said
    assert "data-flag-form" not in said
    assert 'role="switch"' not in page(viewer, "/flags/")
    assert viewer.get("/flags/gone/").status_code == 404


def test_the_pages_of_flags_ask_the_database_a_fixed_number_of_times(
    client: Client, operator: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        make_flag(key=f"flag-{number}", rules=(Rule("", "off", share=50_000),), actor=operator)
    client.get("/flags/")
    with django_assert_max_num_queries(15):
        client.get("/flags/")
    with django_assert_max_num_queries(26):
        client.get("/flags/flag-0/")
