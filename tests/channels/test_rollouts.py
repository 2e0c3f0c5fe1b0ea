"""Rollouts move in one way: with a row, an audit entry, a reason where it ends, and never into a freeze."""

from datetime import timedelta

import pytest

from agentversions.models import Agent, AuditEntry, User
from agentversions.models.database import database_now
from agentversions.services.agents import archive_agent
from agentversions.services.deployments import current_deployment, live_version, make_live
from agentversions.services.errors import AgentArchived, AgentInUse, ReasonMissing, RoutesFrozen
from channels.core.rollout_judging import Figures, Guardrail, Judging
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, Target
from channels.models import Channel, Rollout, RouteBatch
from channels.services.errors import RolloutMoved, RolloutMoveRefused, RolloutOpen, RolloutRefused
from channels.services.rollout_starts import start_all_due, start_due
from channels.services.rollouts import cancel_overtaken, move_rollout, open_rollout
from channels.services.routes import pin
from tests.factories import make_agent, make_user, make_version

from .moving_rollouts import by_judge, by_person, start, story
from .scheduled import HOUR, Clock, freeze, route_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def rollout_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("channels.services.rollouts", "channels.services.rollout_starts", "agentversions.services.freezes"):
        monkeypatch.setattr(f"{module}.database_now", clock)
    return clock


def test_it_starts_at_its_first_step_and_nothing_else_changes(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator, reason="New prompt")
    assert (rollout.state, rollout.step, rollout.value.share) == (State.RUNNING, 0, 10_000)
    assert (str(rollout.baseline), str(rollout.version), rollout.reason) == ("V1", "V2", "New prompt")
    assert story(rollout) == [("start", "running", 10_000)]
    assert str(live_version(agent)) == "V1"
    entry = AuditEntry.objects.get(subject_kind="rollout")
    assert (entry.action, entry.subject, entry.actor) == ("rollout started", str(rollout.pk), operator)
    assert entry.after == {
        "agent": "clinic", "version": 2, "baseline": 1, "by": "person", "share": 10_000,
    }  # fmt: skip


def test_two_rollouts_never_share_a_salt(agent: Agent, operator: User) -> None:
    first = start(agent, operator)
    by_person(first, Move.CANCEL, operator)
    assert start(agent, operator).plan.salt != first.plan.salt


def test_every_move_is_a_row_with_the_share_from_then_on(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    by_judge(rollout, Move.ADVANCE, evaluation=7)
    by_person(rollout, Move.PAUSE, operator)
    by_person(rollout, Move.RESUME, operator)
    by_judge(rollout, Move.FIND_UNHEALTHY)
    by_person(rollout, Move.RESUME, operator)
    by_judge(rollout, Move.ROLL_BACK)
    assert story(rollout) == [
        ("start", "running", 10_000),
        ("advance", "running", 25_000),
        ("pause", "paused", 25_000),
        ("resume", "running", 25_000),
        ("find_unhealthy", "unhealthy", 0),
        ("resume", "running", 25_000),
        ("roll_back", "rolled_back", 0),
    ]
    advanced = rollout.moves.get(move="advance")
    assert (advanced.by, advanced.actor, advanced.evaluation) == ("judge", None, 7)
    assert AuditEntry.objects.filter(subject_kind="rollout").count() == 7
    assert str(live_version(agent)) == "V1"
    assert open_rollout(agent) is None


def test_promoting_makes_it_live_and_does_not_cancel_itself(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    row = by_person(rollout, Move.PROMOTE, operator, "Good enough")
    live = current_deployment(agent)
    assert (row.deployment, live.version.number, live.reason) == (live, 2, "Good enough")
    assert story(rollout) == [("start", "running", 10_000), ("promote", "promoted", 0)]


def test_the_judge_promotes_on_behalf_of_whoever_started_it_and_says_so(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator, steps=[Step(10_000, 2.0)])
    by_judge(rollout, Move.PROMOTE)
    live = current_deployment(agent)
    assert live.created_by == operator
    assert live.reason == f"The judge promoted it after rollout {rollout.pk}. The figures say so."


def test_an_earlier_version_can_be_rolled_out_and_its_promotion_is_a_rollback(agent: Agent, operator: User) -> None:
    make_live(version=agent.versions.get(number=3), actor=operator)
    rollout = start(agent, operator)
    by_person(rollout, Move.PROMOTE, operator)
    assert current_deployment(agent).is_rollback


def test_another_deployment_cancels_it_in_the_same_transaction_with_words(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    pm = make_user("operator", username="pm")
    make_live(version=agent.versions.get(number=3), actor=pm)
    ended = rollout.moves.get(move="cancel")
    assert (ended.state, ended.share, ended.actor) == ("cancelled", 0, pm)
    assert ended.reason == "pm made V3 live, so there is nothing left to compare V2 with."
    second = start(agent, operator)
    make_live(version=second.version, actor=pm)
    assert second.moves.get(move="cancel").reason == "pm made V2 live for everybody, past the rollout."


def test_making_the_same_version_live_again_leaves_it_open(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    cancel_overtaken(make_live(version=rollout.baseline, actor=operator), operator)
    assert open_rollout(agent) == rollout


@pytest.mark.parametrize("move", [Move.ROLL_BACK, Move.PROMOTE, Move.CANCEL])
def test_a_person_says_why_it_ends(agent: Agent, operator: User, move: Move) -> None:
    rollout = start(agent, operator)
    with pytest.raises(ReasonMissing, match="Say why"):
        by_person(rollout, move, operator, "  ")
    assert open_rollout(agent) == rollout


def test_who_looked_at_an_older_state_does_nothing(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    seen = rollout.moves.get().pk
    by_judge(rollout, Move.ADVANCE, seen_moves=seen)
    with pytest.raises(RolloutMoved, match="moved meanwhile: it is running now"):
        by_judge(rollout, Move.ADVANCE, seen_moves=seen)
    assert [move for move, _, _ in story(rollout)] == ["start", "advance"]


def test_what_its_state_does_not_allow_is_refused_with_words(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    by_person(rollout, Move.ROLL_BACK, operator)
    with pytest.raises(RolloutMoveRefused, match="over: it was rolled back"):
        by_person(rollout, Move.RESUME, operator)


def test_a_freeze_keeps_the_share_from_growing_but_never_from_falling(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    freeze()
    for move in (Move.ADVANCE, Move.PROMOTE):
        with pytest.raises(RoutesFrozen, match="Ask an admin"):
            by_person(rollout, move, operator)
    with pytest.raises(RoutesFrozen, match="The judge would advance now; it tries again when the freeze is over"):
        by_judge(rollout, Move.ADVANCE)
    by_person(rollout, Move.PAUSE, operator)
    by_person(rollout, Move.RESUME, operator)
    by_person(rollout, Move.ROLL_BACK, operator)
    with pytest.raises(RoutesFrozen):
        start(agent, operator)
    with pytest.raises(RoutesFrozen, match="Say why it cannot wait"):
        start(agent, make_user("admin"))


def test_the_judge_does_not_promote_into_a_freeze_even_for_an_admin(agent: Agent) -> None:
    rollout = start(agent, make_user("admin"), steps=[Step(10_000, 2.0)], reason="Urgent")
    freeze()
    with pytest.raises(RoutesFrozen, match="The judge would promote now"):
        by_judge(rollout, Move.PROMOTE)
    assert (str(live_version(agent)), open_rollout(agent)) == ("V1", rollout)


def test_an_archived_agent_has_no_rollout_and_one_with_a_rollout_is_not_archived(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    with pytest.raises(AgentInUse) as refused:
        archive_agent(agent=agent, actor=operator)
    assert refused.value.uses == ("Rollout of V2: running",)
    by_person(rollout, Move.CANCEL, operator)
    archive_agent(agent=agent, actor=operator)
    with pytest.raises(AgentArchived):
        start(agent, operator)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"version": 1}, "version", "V1 is live already"),
        ({"version": 0}, "version", "A draft cannot be rolled out"),
        ({"version": 9}, "version", "There is no V9 of this agent"),
        ({"steps": [Step(25_000, 3.0), Step(10_000, 2.0)]}, "steps.1.share", "must be above the step before"),
        ({"steps": [Step(10_000, 1.0)]}, "steps.0.margin", "at least 1.1"),
        ({"steps": [Step(0, 2.0)]}, "steps.0.share", "to nobody"),
        ({"steps": [Step(100_000, 2.0)]}, "steps.0.share", "Stay below 100 %"),
        ({"starts_at": database_now}, "starts_at", "has passed"),
        ({"starts_at": lambda: database_now() + timedelta(days=400)}, "starts_at", "more than a year"),
        ({"judging": Judging(least_sample=0)}, "least_sample", "at least one call"),
        (
            {"judging": Judging(figures=Figures.PROMETHEUS, guardrails=(Guardrail.LATENCY,))},
            "guardrails",
            "error rates",
        ),
    ],
)
def test_bad_input_is_refused_at_its_field(
    agent: Agent, operator: User, fields: dict[str, object], path: str, words: str
) -> None:
    fields = {name: value() if callable(value) else value for name, value in fields.items()}
    with pytest.raises(RolloutRefused, match=words) as refused:
        start(agent, operator, **fields)
    assert [problem.path for problem in refused.value.problems] == [path]
    assert not Rollout.objects.exists()


def test_without_a_live_version_there_is_nothing_to_compare_with(operator: User) -> None:
    agent = make_agent(slug="desk")
    make_version(agent)
    with pytest.raises(RolloutRefused, match="Make a version live first") as refused:
        start(agent, operator, version=1)
    assert [problem.path for problem in refused.value.problems] == ["baseline"]


def test_an_open_rollout_is_named_when_another_is_asked_for(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    with pytest.raises(RolloutOpen, match="The rollout of V2 is not over: it is running") as refused:
        start(agent, operator, version=3)
    assert refused.value.members == {"rollout": rollout.pk}


def test_a_planned_rollout_starts_at_its_moment_once(agent: Agent, operator: User, rollout_clock: Clock) -> None:
    rollout = start(agent, operator, starts_at=database_now() + HOUR, reason="Tonight")
    assert (rollout.state, rollout.value.share, start_due(rollout), start_all_due()) == ("scheduled", 0, None, 0)
    rollout_clock.ahead = HOUR
    assert (start_all_due(), start_all_due()) == (1, 0)
    begun = rollout.moves.get()
    assert (begun.move, begun.by, begun.actor, begun.reason) == ("start", "clock", None, "Tonight")
    rollout.refresh_from_db()
    assert rollout.value.share == 10_000
    actions = list(AuditEntry.objects.filter(subject_kind="rollout").order_by("id").values_list("action", flat=True))
    assert actions == ["rollout planned", "rollout started"]


def test_a_planned_rollout_can_be_started_before_its_moment(agent: Agent, operator: User, rollout_clock: Clock) -> None:
    rollout = start(agent, operator, starts_at=database_now() + HOUR)
    by_person(rollout, Move.START, operator)
    rollout_clock.ahead = HOUR
    assert start_all_due() == 0
    assert [move for move, _, _ in story(rollout)] == ["start"]


def test_a_start_that_is_refused_cancels_it_with_the_words(agent: Agent, operator: User, rollout_clock: Clock) -> None:
    rollout = start(agent, operator, starts_at=database_now() + HOUR)
    freeze(ends=3 * HOUR)
    rollout_clock.ahead = HOUR
    start_all_due()
    ended = rollout.moves.get()
    assert (ended.move, ended.by) == ("cancel", "clock")
    assert ended.reason.startswith("It could not start as planned. Frozen until")


def test_a_start_long_missed_or_by_somebody_who_may_no_longer_is_refused(
    agent: Agent, operator: User, rollout_clock: Clock
) -> None:
    late = start(agent, operator, starts_at=database_now() + HOUR)
    rollout_clock.ahead = 3 * HOUR
    start_all_due()
    assert "more than an hour has passed" in late.moves.get().reason
    rollout_clock.ahead = timedelta()
    planned = start(agent, operator, starts_at=database_now() + HOUR)
    operator.roles = ["viewer"]
    operator.save(update_fields=["roles"])
    rollout_clock.ahead = HOUR
    start_all_due()
    assert "may no longer change what answers" in planned.moves.get().reason


def test_numbers_on_the_draft_or_a_pin_follow_live_in_the_same_transaction(
    agent: Agent, channels: list[Channel], operator: User
) -> None:
    pin(channel=channels[1], target=Target("clinic", Follow.VERSION, 3), actor=operator)
    start(agent, operator, follow_live=[channels[0].address, channels[1].address])
    assert [route_of(channel) for channel in channels] == ["clinic Live", "clinic Live", "clinic Draft"]
    assert RouteBatch.objects.get().summary == "2 numbers to clinic Live for the rollout of V2"


def test_a_number_that_cannot_be_switched_stops_the_whole_start(
    agent: Agent, channels: list[Channel], operator: User
) -> None:
    pin(channel=channels[1], target=Target("clinic", Follow.LIVE), actor=operator)
    with pytest.raises(RolloutRefused, match="is not on the draft or on a version") as refused:
        start(agent, operator, follow_live=[channel.address for channel in channels])
    assert [problem.path for problem in refused.value.problems] == ["follow_live"]
    assert (Rollout.objects.count(), route_of(channels[0])) == (0, "clinic Draft")


def test_the_judge_and_the_clock_need_no_person_but_a_person_is_written_down(agent: Agent, operator: User) -> None:
    rollout = start(agent, operator)
    move_rollout(rollout=rollout, move=Move.HOLD, by=By.JUDGE, reason="30 days are over.", actor=None)
    by_person(rollout, Move.RESUME, operator, "")
    assert list(rollout.moves.values_list("by", "actor")) == [
        ("person", operator.pk), ("judge", None), ("person", operator.pk),
    ]  # fmt: skip
