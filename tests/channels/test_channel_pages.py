"""The pages of channels: the list, adding one, the route's form, what was and what would be answered."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agentversions.models import Agent, User
from agentversions.services.deployments import make_live
from channels.core.flags import Flag as FlagValue
from channels.core.flags import FlagType
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, Target, WantedVariant
from channels.models import Channel
from channels.services.channels import change_channel
from channels.services.flags import create_flag
from channels.services.routes import pin, plan_test, save_route
from tests.channels.running_rollouts import make_rollout
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
NUMBER = "/channels/+33198765432/"


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent, name="First opening")
    return agent


@pytest.fixture
def channel(agent: Agent) -> Channel:
    return make_channel(agent, address="+33198765432", label="Front desk")


def route_of(channel: Channel) -> str:
    return str(Channel.objects.with_route().get(pk=channel.pk).route)


def two(first: str = "60", second: str = "40") -> dict[str, Any]:
    return {
        "mode": "test",
        "name": ["Control", "Test"],
        "agent": ["clinic", "clinic"],
        "answers": ["1", "draft"],
        "share": [first, second],
    }


def test_the_list_finds_numbers_as_people_write_them(client: Client, channel: Channel, agent: Agent) -> None:
    make_channel(agent, address="+442071234567", label="London")
    for text, found in (("01 98 76", "+33 1"), ("+44 20", "+44 20"), ("london", "+44 20"), ("0033198", "+33 1")):
        page = client.get("/channels/", {"q": text}).content.decode()
        assert f"{found}" in page
        assert ("London" in page) == (found == "+44 20")


def test_the_list_filters_by_agent_what_answers_and_version(client: Client, channel: Channel, agent: Agent) -> None:
    other = make_channel(make_agent(slug="sales"), address="+442071234567")
    tested = make_channel(agent, address="+442071234568")
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    wanted = [WantedVariant("A", Target("clinic"), 50_000), WantedVariant("B", Target("sales"), 50_000)]
    save_route(channel=tested, plan=plan_test(wanted), actor=agent.created_by)
    change_channel(channel=other, is_enabled=False, actor=agent.created_by)

    def found(**query: str) -> set[str]:
        page = client.get("/channels/", query).content.decode()
        return {each.address for each in (channel, other, tested) if f"/channels/{each.address}/" in page}

    assert found(agent="sales") == {other.address, tested.address}
    assert found(answers="version") == {channel.address}
    assert found(answers="test") == {tested.address}
    assert found(agent="clinic", answers="draft") == {tested.address}
    assert found(version="V1") == {channel.address}
    assert found(state="off") == {other.address}
    assert found(agent="nobody") == set()


def test_a_number_is_added_in_its_national_form(client: Client, agent: Agent) -> None:
    values = {"kind": "phone", "address": "01 98 76 54 32", "region": "FR", "time_zone": "Europe/Paris"}
    answer = client.post("/channels/new/", {**values, "agent": "clinic", "answers": "1", "label": "Front desk"})
    assert (answer.status_code, answer["Location"]) == (302, NUMBER)
    channel = Channel.objects.get()
    assert (channel.address, channel.time_zone, route_of(channel)) == ("+33198765432", "Europe/Paris", "clinic V1")
    again = client.post("/channels/new/", {**values, "agent": "clinic"})
    assert again.status_code == 422
    assert "is there already" in again.content.decode()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"address": "01 98 76 54 32", "region": ""}, "Write the number with its country"),
        ({"address": "12", "region": "FR"}, "too few or too many digits"),
        ({"address": "hello"}, "is no phone number"),
        ({"kind": "chat", "address": "Website Chat"}, "small letters, digits and hyphens"),
        ({"address": "+33198765432", "agent": ""}, "Choose the agent that answers."),
        ({"address": "+33198765432", "answers": "7"}, "has no V7: its newest is V1"),
        ({"address": "+33198765432", "answers": "live"}, "has no live version yet"),
    ],
)
def test_a_wrong_channel_is_refused_with_words_and_nothing_typed_is_lost(
    client: Client, agent: Agent, values: dict[str, str], words: str
) -> None:
    full = {"kind": "phone", "time_zone": "UTC", "agent": "clinic", "answers": "draft", "label": "Typed", **values}
    answer = client.post("/channels/new/", full)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert 'value="Typed"' in page
    assert not Channel.objects.exists()


def test_the_page_says_what_answers_and_warns_of_the_draft(client: Client, channel: Channel, agent: Agent) -> None:
    page = client.get(NUMBER).content.decode()
    assert "every edit reaches callers at once" in page
    assert "V1 · First opening" in page
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    assert "every edit reaches" not in client.get(NUMBER).content.decode()


def test_a_version_is_pinned_with_a_reason(client: Client, channel: Channel, operator: User) -> None:
    values = {"seen": channel.route_id, "mode": "single", "agent": "clinic", "answers": "1", "reason": "Release"}
    assert client.post(NUMBER, values).status_code == 302
    assert route_of(channel) == "clinic V1"
    newest = channel.history.first()
    assert (newest.history_user, newest.history_change_reason) == (operator, "Release")


def test_a_test_is_saved_only_at_100_per_cent(client: Client, channel: Channel) -> None:
    answer = client.post(NUMBER, {"seen": channel.route_id, **two("60", "39.999")})
    assert answer.status_code == 422
    assert "99.999 %, not 100 %: 0.001 % are still free" in answer.content.decode()
    assert 'value="39.999"' in answer.content.decode()
    assert client.post(NUMBER, {"seen": channel.route_id, **two("60,001", "39.999")}).status_code == 302
    assert route_of(channel) == "60.001 % Control: clinic V1 · 39.999 % Test: clinic Draft"


def test_what_is_wrong_stands_at_its_variant(client: Client, channel: Channel) -> None:
    values = {**two("a lot", "50"), "answers": ["1", "9"]}
    page = client.post(NUMBER, {"seen": channel.route_id, **values}).content.decode()
    assert "Write the share in per cent" in page
    values = {**two("50", "50"), "answers": ["1", "9"]}
    page = client.post(NUMBER, {"seen": channel.route_id, **values}).content.decode()
    assert "has no V9: its newest is V1" in page
    assert route_of(channel) == "clinic Draft"


def test_lines_come_and_go_without_moving_a_share(client: Client, channel: Channel) -> None:
    added = client.post(NUMBER, {"seen": channel.route_id, **two("60", "40"), "step": "add"}).content.decode()
    assert added.count('name="share"') == 3
    assert 'value="60"' in added
    assert 'value="40"' in added
    removed = client.post(NUMBER, {"seen": channel.route_id, **two("60", "40"), "step": "remove:1"}).content.decode()
    assert removed.count('name="share"') == 1
    assert 'value="60"' in removed
    begun = client.post(
        NUMBER, {"seen": channel.route_id, "mode": "single", "agent": "clinic", "answers": "1", "step": "test"}
    )
    assert 'value="100"' in begun.content.decode()
    assert route_of(channel) == "clinic Draft"


def test_changing_the_lines_asks_for_no_moment_and_keeps_one_that_was_typed(client: Client, channel: Channel) -> None:
    typed = {"seen": channel.route_id, **two("60", "40"), "step": "add", "at": "2031-01-02T03:04"}
    for fields in (typed, {**typed, "at": ""}):
        page = client.post(NUMBER, fields).content.decode()
        assert "Choose the day and time" not in page
        assert f'name="at" value="{fields["at"]}"' in page


def test_the_second_operator_sees_the_first_and_decides(client: Client, channel: Channel, agent: Agent) -> None:
    seen = channel.route_id
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    answer = client.post(NUMBER, {"seen": seen, **two()})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert f"{agent.created_by} changed what answers" in page
    assert "Save mine instead" in page
    assert 'value="60"' in page
    channel.refresh_from_db()
    assert f'name="seen" value="{channel.route_id}"' in page
    assert client.post(NUMBER, {"seen": channel.route_id, **two()}).status_code == 302


def test_explain_gives_the_steps_and_the_bucket(client: Client, channel: Channel) -> None:
    client.post(NUMBER, {"seen": channel.route_id, **two()})
    page = client.get(f"{NUMBER}explain/", {"caller": "06 12 34 56 78"}).content.decode()
    assert "The caller +33 6 12 34 56 78 is counted" in page
    assert "of 100,000 belongs to" in page
    withheld = client.get(f"{NUMBER}explain/", {"caller": "anonymous", "call_id": "c-1"}).content.decode()
    assert "withheld: the call c-1 is counted" in withheld


def test_who_answered_when_reads_the_channels_own_time_zone(client: Client, channel: Channel, agent: Agent) -> None:
    change_channel(channel=channel, time_zone="Asia/Tokyo", actor=agent.created_by)
    assert "was not there yet" in client.get(f"{NUMBER}answered/", {"at": "2020-01-01T10:00"}).content.decode()
    later = client.get(f"{NUMBER}answered/", {"at": "2099-01-01T10:00"}).content.decode()
    assert "Draft" in later
    assert "Give a date and a time" in client.get(f"{NUMBER}answered/", {"at": "yesterday"}).content.decode()


def test_the_history_tells_what_happened(client: Client, channel: Channel, agent: Agent) -> None:
    make_live(version=agent.versions.get(), actor=agent.created_by)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), reason="Follow releases", actor=agent.created_by)
    change_channel(channel=channel, is_enabled=False, actor=agent.created_by)
    for number in range(30):
        change_channel(channel=channel, label=f"Desk {number}", actor=agent.created_by)
    first = client.get(f"{NUMBER}history/").content.decode()
    second = client.get(f"{NUMBER}history/", {"page": "2"}).content.decode()
    assert "Label: Desk 29" in first
    assert "Switched off" in second
    assert "clinic Live" in second
    assert "Follow releases" in second


def test_a_viewer_reads_and_changes_nothing(channel: Channel) -> None:
    client = Client()
    client.force_login(make_user("viewer"))
    page = client.get(NUMBER).content.decode()
    assert "data-route-save" not in page
    assert client.post(NUMBER, {"mode": "single", "agent": "clinic", "answers": "1"}).status_code == 403
    assert client.get("/channels/+33198765499/").status_code == 404


def test_numbers_are_imported_after_a_dry_run(client: Client, channel: Channel, agent: Agent) -> None:
    text = (
        "Phone;Label;Agent;Version\n"
        "01 98 76 54 40;Night desk;clinic;V1\n"
        "+44 20 7123 4567;London;;\n"
        "+33198765432;There;clinic;draft\n"
        "12;Short;clinic;draft\n"
        "+33198765441;Nobody;nobody;draft\n"
        "0198765440;Twice;clinic;V1\n"
        "+33198765442;Odd;clinic;soon\n"
    )
    values = {"text": text, "region": "FR", "agent": "clinic"}
    page = client.post("/channels/import/", values).content.decode()
    assert Channel.objects.count() == 1
    for words in (
        '<strong class="num">2</strong> new',
        '<strong class="num">1</strong> there already',
        '<strong class="num">4</strong> refused',
        "too few or too many digits",
        "no agent “nobody”",
        "Line 2 has this number already",
        "is not draft, live or a version",
    ):
        assert words in page, words
    assert client.post("/channels/import/", {**values, "confirm": "1"}).status_code == 302
    added = Channel.objects.get(address="+33198765440")
    assert (added.label, route_of(added), added.history.count()) == ("Night desk", "clinic V1", 1)
    assert route_of(Channel.objects.get(address="+442071234567")) == "clinic Draft"
    assert Channel.objects.get(pk=channel.pk).label == "Front desk"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty"), (b"a,b\n1,2\n", "No column is named number"), (b"number\n\xff\xfe", "is not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_refused_with_words(client: Client, content: bytes, words: str) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("numbers.csv", content or b" ")
    answer = client.post("/channels/import/", {"file": file})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_explain_and_who_answered_say_the_rollout_and_the_flags(client: Client, agent: Agent) -> None:
    operator = make_user("operator")
    make_version(agent, system_prompt="Answer in French.")
    channel = make_channel(agent, address="+33198765477", actor=operator)
    rollout = make_rollout(agent, steps=[Step(50_000, 2.0, 0)], actor=operator)
    pin(channel=channel, target=Target(agent.slug, Follow.LIVE), actor=operator)
    value = FlagValue("no-transfer", FlagType.TOOL, "off", "on", agent=agent.slug, subject="transfer_to_human")
    create_flag(value=value, actor=operator)
    arms = {}
    for number in range(20):
        caller = f"+3361234{number:04d}"
        said = client.get("/channels/+33198765477/explain/", {"caller": caller}).content.decode()
        then = client.get(
            "/channels/+33198765477/answered/",
            {"caller": caller, "at": f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"},
        ).content.decode()
        arm = "canary" if "the canary answers" in said else "live"
        arms[arm] = caller
        for page in (said, then):
            assert f'<a href="/rollouts/{rollout.pk}/">' in page
            assert f"{arm} arm, bucket" in page
            assert rollout.plan.salt in page
            assert '<a href="/flags/no-transfer/">no-transfer</a>' in page
            assert "the tool is switched off" in page
            assert "made by flags to" in page
    assert set(arms) == {"canary", "live"}
    nobody = client.get("/channels/+33198765477/explain/").content.decode()
    assert "Name a caller or a call to see which arm" in nobody
