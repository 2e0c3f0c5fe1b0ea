"""Saving what answers a channel: refusals with words, two operators at once, history and the log of changes."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from agentversions.models import AuditEntry
from agentversions.services.agents import archive_agent
from agentversions.services.deployments import make_live
from agentversions.services.errors import AgentInUse
from channels.core.routes import Follow, Target, WantedVariant, single
from channels.models import Channel, Route, RouteTarget, RoutingChange
from channels.services.errors import RouteMoved, RouteRefused
from channels.services.routes import pin, plan_test, save_route
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db


def test_a_new_channel_answers_with_the_draft_and_shares_the_route_of_others() -> None:
    agent = make_agent(slug="clinic")
    first, second = make_channel(agent), make_channel(agent)
    assert first.route_id == second.route_id
    assert str(first.route) == "clinic Draft"
    assert first.history.count() == 1


def test_pinning_moves_the_pointer_and_writes_history_with_the_reason() -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    channel, operator = make_channel(agent), make_user("operator")
    moved = pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), reason="Release", actor=operator)
    assert str(moved.route) == "clinic V1"
    newest = channel.history.first()
    assert (newest.route_id, newest.history_user, newest.history_change_reason) == (
        moved.route_id,
        operator,
        "Release",
    )
    assert AuditEntry.objects.filter(action="route changed", subject=channel.address, reason="Release").count() == 1


def test_the_same_route_again_changes_nothing() -> None:
    channel = make_channel(make_agent(slug="clinic"))
    pin(channel=channel, target=Target("clinic"), actor=make_user("operator"))
    assert channel.history.count() == 1


def test_the_second_of_two_operators_sees_the_firsts_change() -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    channel, seen = make_channel(agent), Route.objects.get().digest
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=make_user("operator"))
    with pytest.raises(RouteMoved, match="now clinic V1") as refusal:
        save_route(channel=channel, plan=single(Target("clinic", Follow.LIVE)), seen=seen, actor=make_user("operator"))
    assert str(refusal.value.channel.route) == "clinic V1"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("nobody"), "no agent “nobody”"),
        (Target("clinic", Follow.VERSION, 1), "has no version yet. Publish one"),
        (Target("clinic", Follow.LIVE), "has no live version yet"),
        (Target("old"), "is archived"),
    ],
)
def test_what_cannot_answer_is_refused_with_words(target: Target, words: str) -> None:
    agent, old = make_agent(slug="clinic"), make_agent(slug="old")
    archive_agent(agent=old, actor=old.created_by)
    with pytest.raises(RouteRefused, match=words):
        pin(channel=make_channel(agent), target=target, actor=make_user("operator"))


def test_a_version_that_does_not_exist_names_the_newest() -> None:
    agent = make_agent(slug="clinic")
    make_version(agent)
    with pytest.raises(RouteRefused, match="its newest is V1"):
        pin(channel=make_channel(agent), target=Target("clinic", Follow.VERSION, 9), actor=make_user("operator"))


def test_a_test_names_every_problem_of_its_variants() -> None:
    wanted = [
        WantedVariant("Control", Target("clinic"), 50_000),
        WantedVariant("control", Target("clinic"), 0),
        WantedVariant("", Target("sales"), 49_999),
    ]
    with pytest.raises(RouteRefused) as refusal:
        plan_test(wanted)
    words = [message for _, message in refusal.value.problems]
    assert any("two variants named" in each for each in words)
    assert any("answers with clinic Draft already" in each for each in words)
    assert any("at least 0.001 %" in each for each in words)
    assert any("name of 1 to 60" in each for each in words)
    assert any("99.999 %, not 100 %: 0.001 % are still free" in each for each in words)


def test_a_test_that_goes_on_keeps_its_salt_and_a_new_one_draws_its_own() -> None:
    two = [WantedVariant("A", Target("a"), 50_000), WantedVariant("B", Target("b"), 50_000)]
    first = plan_test(two)
    more = [WantedVariant("A", Target("a"), 40_000), WantedVariant("B", Target("b"), 60_000)]
    assert plan_test(more, before=first).salt == first.salt
    assert plan_test(more).salt != first.salt
    assert plan_test(more, before=single(Target("a"))).salt != first.salt


def test_an_agent_that_answers_a_number_cannot_be_archived() -> None:
    agent = make_agent(slug="clinic")
    channel = make_channel(agent)
    with pytest.raises(AgentInUse) as refusal:
        archive_agent(agent=agent, actor=agent.created_by)
    assert refusal.value.uses == (f"{channel.shown}: clinic Draft",)


def test_the_database_refuses_a_pin_on_another_agents_version() -> None:
    agent, other = make_agent(slug="clinic"), make_agent(slug="other")
    version = make_version(other)
    route = make_channel(agent).route
    with pytest.raises(IntegrityError, match="another agent"), transaction.atomic():
        RouteTarget.objects.create(route=route, position=1, agent=agent, follow="version", version=version)


def test_everything_that_moves_an_answer_is_in_the_log_of_changes() -> None:
    agent = make_agent(slug="clinic")
    channel = make_channel(agent)
    version = make_version(agent, system_prompt="Another one.")
    make_live(version=version, actor=agent.created_by)
    pin(channel=channel, target=Target("clinic", Follow.LIVE), actor=make_user("operator"))
    moved = list(RoutingChange.objects.order_by("id").values_list("kind", "key"))
    assert moved == [
        ("channel", channel.address),
        ("agent", "clinic"),
        ("agent", "clinic"),
        ("channel", channel.address),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        assert set(RoutingChange.objects.values_list("transaction", flat=True)) == {cursor.fetchone()[0]}


@pytest.mark.django_db(transaction=True)
def test_of_fifty_operators_at_once_one_saves_and_each_other_sees_that() -> None:
    agent = make_agent(slug="clinic")
    for number in range(1, 51):
        make_version(agent, system_prompt=f"Prompt {number}.")
    channel = make_channel(agent)
    people = [make_user("operator") for _ in range(50)]
    told: list[str] = []

    def work(number: int) -> None:
        plan = single(Target("clinic", Follow.VERSION, number + 1))
        try:
            save_route(channel=channel, plan=plan, seen=channel.route_id, actor=people[number])
            told.append("saved")
        except RouteMoved as moved:
            told.append(str(moved.channel.route))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    winner = str(Channel.objects.with_route().get(pk=channel.pk).route)
    assert sorted(told) == sorted(["saved", *[winner] * 49])
    assert channel.history.count() == 2
