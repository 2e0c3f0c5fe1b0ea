"""Many channels at once: all or none, a whole batch taken back, the bad hour undone."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent, User
from agentversions.services.agents import archive_agent
from channels.core.routes import Follow, Target, single
from channels.models import Channel, RouteBatch
from channels.services.batches import apply_moves, plan_moves, plan_take_back, undo_batch
from channels.services.channels import change_channel
from channels.services.errors import BatchRefused, RouteRefused
from channels.services.moves import digest_of_moves, in_words, show_moves
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_version

pytestmark = pytest.mark.django_db
V1 = single(Target("clinic", Follow.VERSION, 1))


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent)
    return agent


@pytest.fixture
def channels(agent: Agent) -> list[Channel]:
    return [make_channel(agent) for _ in range(5)]


def every() -> Any:
    return Channel.objects.all()


def answers(channels: list[Channel]) -> list[str]:
    return [str(Channel.objects.with_route().get(pk=channel.pk).route) for channel in channels]


def test_a_batch_moves_all_with_history_and_the_reason(channels: list[Channel], operator: User) -> None:
    moves = plan_moves(every(), V1)
    assert [(str(move.before), str(move.after)) for move in show_moves(moves)] == [("clinic Draft", "clinic V1")] * 5
    batch = apply_moves(moves=moves, summary="Everything to V1", reason="Release", actor=operator)
    assert answers(channels) == ["clinic V1"] * 5
    for channel in channels:
        newest = channel.history.first()
        assert (newest.history_user, newest.history_change_reason) == (operator, "Release")
        assert newest.history_date >= channel.history.last().history_date
        assert Channel.objects.get(pk=channel.pk).route_changed_by == operator
    assert batch.items.count() == 5


def test_what_answers_so_already_is_left_out(channels: list[Channel], operator: User) -> None:
    pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 1), actor=operator)
    assert len(plan_moves(every(), V1)) == 4
    with pytest.raises(BatchRefused, match="Nothing would change"):
        apply_moves(moves=[], summary="Nothing", actor=operator)


def test_a_batch_is_refused_whole_when_one_channel_moved_since(channels: list[Channel], operator: User) -> None:
    make_version(channels[0].route.targets.get().agent, system_prompt="Another.")
    moves = plan_moves(every(), V1)
    pin(channel=channels[2], target=Target("clinic", Follow.VERSION, 2), actor=operator)
    with pytest.raises(BatchRefused, match="Nothing was changed"):
        apply_moves(moves=moves, summary="Everything to V1", actor=operator)
    assert answers(channels) == ["clinic Draft", "clinic Draft", "clinic V2", "clinic Draft", "clinic Draft"]


def test_undo_gives_back_what_was_and_names_what_moved_since(channels: list[Channel], operator: User) -> None:
    batch = apply_moves(moves=plan_moves(every(), V1), summary="Everything to V1", actor=operator)
    pin(channel=channels[1], target=Target("clinic"), actor=operator)
    undone, left = undo_batch(batch=batch, actor=operator)
    assert answers(channels) == ["clinic Draft"] * 5
    assert left == [channels[1].pk]
    assert in_words(left) == channels[1].shown
    assert (undone.undoes, undone.items.count()) == (batch, 4)
    with pytest.raises(BatchRefused, match="undone already"):
        undo_batch(batch=batch, actor=operator)


def test_the_bad_hour_is_taken_back(channels: list[Channel], operator: User) -> None:
    pin(channel=channels[0], target=Target("clinic", Follow.VERSION, 1), actor=operator)
    before = answers(channels)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (since,) = cursor.fetchone()
    pin(channel=channels[0], target=Target("clinic"), actor=operator)
    apply_moves(moves=plan_moves(every().exclude(pk=channels[0].pk), V1), summary="Everything to V1", actor=operator)
    pin(channel=channels[4], target=Target("clinic"), actor=operator)
    moves = plan_take_back(since)
    assert {move.channel_id for move in moves} == {channel.pk for channel in channels[:4]}
    apply_moves(moves=moves, summary="Taken back", actor=operator)
    assert answers(channels) == before
    assert plan_take_back(since) == []


def test_a_batch_is_not_a_query_per_channel(agent: Agent, operator: User) -> None:
    def queries(count: int) -> int:
        keys = [make_channel(agent).pk for _ in range(count)]
        moves = plan_moves(every().filter(pk__in=keys), V1)
        with CaptureQueriesContext(connection) as captured:
            apply_moves(moves=moves, summary="Everything to V1", actor=operator)
        return len(captured)

    assert queries(300) == queries(3)


def test_a_batch_to_what_cannot_answer_is_refused(channels: list[Channel]) -> None:
    with pytest.raises(RouteRefused, match="has no V9"):
        plan_moves(every(), single(Target("clinic", Follow.VERSION, 9)))
    assert RouteBatch.objects.count() == 0


@pytest.mark.usefixtures("channels")
def test_only_the_dry_run_that_was_seen_is_made(agent: Agent, operator: User) -> None:
    seen = digest_of_moves(plan_moves(every(), V1))
    make_channel(agent)
    with pytest.raises(BatchRefused, match="Something changed since you looked"):
        apply_moves(moves=plan_moves(every(), V1), seen=seen, summary="Everything to V1", actor=operator)
    moves = plan_moves(every(), V1)
    apply_moves(moves=moves, seen=digest_of_moves(moves), summary="Everything to V1", actor=operator)
    assert plan_moves(every(), V1) == []


def test_a_batch_remembers_a_channel_as_a_single_save_does(channels: list[Channel], operator: User) -> None:
    """The batch writes its history in SQL; here it is held against what django-simple-history writes."""
    change_channel(channel=channels[0], label="Front desk", time_zone="Asia/Tokyo", is_enabled=False, actor=operator)
    change_channel(channel=channels[1], label="Front desk", time_zone="Asia/Tokyo", is_enabled=False, actor=operator)
    target = Target("clinic", Follow.VERSION, 1)
    pin(channel=channels[0], target=target, reason="Release", actor=operator)
    moves = plan_moves(every().filter(pk=channels[1].pk), single(target))
    apply_moves(moves=moves, summary="One", reason="Release", actor=operator)
    its_own = {"history_id", "history_date", "id", "address"}
    one, many = (
        {name: value for name, value in channel.history.values().first().items() if name not in its_own}
        for channel in channels[:2]
    )
    assert many == one
    assert one["label"] == "Front desk"


def test_what_answered_then_and_cannot_answer_now_is_said_before_anything_is_taken_back(
    channels: list[Channel], operator: User
) -> None:
    other = make_agent(slug="other")
    pin(channel=channels[0], target=Target("other"), actor=operator)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (since,) = cursor.fetchone()
    pin(channel=channels[0], target=Target("clinic"), actor=operator)
    archive_agent(agent=other, actor=operator)
    with pytest.raises(RouteRefused, match="is archived"):
        plan_take_back(since)
