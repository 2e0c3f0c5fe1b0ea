"""Many channels at once: all or none, a whole batch taken back, the bad hour undone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agentversions.models import Agent, User
from channels.core.routes import Follow, Target, single
from channels.models import Channel, RouteBatch
from channels.services.batches import apply_moves, plan_moves, plan_take_back, undo_batch
from channels.services.errors import BatchRefused, RouteRefused
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
V1 = single(Target("clinic", Follow.VERSION, 1))


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    make_version(agent)
    return agent


@pytest.fixture
def operator() -> User:
    return make_user("operator")


@pytest.fixture
def channels(agent: Agent) -> list[Channel]:
    return [make_channel(agent) for _ in range(5)]


def answers(channels: list[Channel]) -> list[str]:
    return [str(Channel.objects.with_route().get(pk=channel.pk).route) for channel in channels]


def test_a_batch_moves_all_with_history_and_the_reason(channels: list[Channel], operator: User) -> None:
    moves = plan_moves(channels, V1)
    assert [(str(move.before), str(move.after)) for move in moves] == [("clinic Draft", "clinic V1")] * 5
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
    fresh = list(Channel.objects.with_route())
    assert len(plan_moves(fresh, V1)) == 4
    with pytest.raises(BatchRefused, match="Nothing would change"):
        apply_moves(moves=[], summary="Nothing", actor=operator)


def test_a_batch_is_refused_whole_when_one_channel_moved_since(channels: list[Channel], operator: User) -> None:
    make_version(channels[0].route.targets.get().agent, system_prompt="Another.")
    moves = plan_moves(channels, V1)
    pin(channel=channels[2], target=Target("clinic", Follow.VERSION, 2), actor=operator)
    with pytest.raises(BatchRefused, match="nothing was changed"):
        apply_moves(moves=moves, summary="Everything to V1", actor=operator)
    assert answers(channels) == ["clinic Draft", "clinic Draft", "clinic V2", "clinic Draft", "clinic Draft"]


def test_undo_gives_back_what_was_and_names_what_moved_since(channels: list[Channel], operator: User) -> None:
    batch = apply_moves(moves=plan_moves(channels, V1), summary="Everything to V1", actor=operator)
    pin(channel=channels[1], target=Target("clinic"), actor=operator)
    undone, left = undo_batch(batch=batch, actor=operator)
    assert answers(channels) == ["clinic Draft"] * 5
    assert left == [channels[1]]
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
    apply_moves(moves=plan_moves(channels[1:], V1), summary="Everything to V1", actor=operator)
    pin(channel=channels[4], target=Target("clinic"), actor=operator)
    moves = plan_take_back(since)
    assert {move.channel.pk for move in moves} == {channel.pk for channel in channels[:4]}
    apply_moves(moves=moves, summary="Taken back", actor=operator)
    assert answers(channels) == before
    assert plan_take_back(since) == []


def test_a_batch_is_not_a_query_per_channel(agent: Agent, operator: User) -> None:
    def queries(count: int) -> int:
        moves = plan_moves([make_channel(agent) for _ in range(count)], V1)
        with CaptureQueriesContext(connection) as captured:
            apply_moves(moves=moves, summary="Everything to V1", actor=operator)
        return len(captured)

    assert queries(30) == queries(3)


def test_a_batch_to_what_cannot_answer_is_refused(channels: list[Channel]) -> None:
    with pytest.raises(RouteRefused, match="has no V9"):
        plan_moves(channels, single(Target("clinic", Follow.VERSION, 9)))
    assert RouteBatch.objects.count() == 0
