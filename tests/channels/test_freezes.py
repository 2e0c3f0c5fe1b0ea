"""Freeze windows: only an admin with a reason changes what answers; planned changes that fall into one."""

from datetime import timedelta
from typing import Any

import pytest

from agentversions.models import Agent, User
from agentversions.models.database import database_now
from agentversions.services.deployments import make_live
from agentversions.services.errors import FreezeRefused, RoutesFrozen
from agentversions.services.freezes import create_freeze, lift_freeze, open_freeze
from channels.core.routes import Follow, Target, single
from channels.models import Channel
from channels.models.schedule import Outcome
from channels.services.batches import apply_moves, plan_moves, undo_batch
from channels.services.channels import change_channel
from channels.services.routes import save_route
from channels.services.schedule_list import upcoming
from channels.services.scheduled_runs import run_due_steps
from tests.factories import make_user

from .scheduled import HOUR, V1, Clock, freeze, plan_route, route_of

pytestmark = pytest.mark.django_db


def test_only_an_admin_with_a_reason_changes_routes_while_frozen(
    agent: Agent, channels: list[Channel], operator: User
) -> None:
    batch = apply_moves(moves=plan_moves(Channel.objects.all(), V1), summary="All to V1", actor=operator)
    window, admin = freeze(), make_user("admin")
    draft, version = single(Target("clinic", Follow.DRAFT)), agent.versions.get(number=2)
    third = Channel.objects.filter(pk=channels[2].pk)
    doings: list[Any] = [
        lambda **by: save_route(channel=channels[0], plan=draft, **by),
        lambda **by: change_channel(channel=channels[1], is_enabled=False, **by),
        lambda **by: make_live(version=version, **by),
        lambda **by: apply_moves(moves=plan_moves(third, draft), summary="One", **by),
        lambda **by: undo_batch(batch=batch, **by),
        lambda actor, reason: plan_route(channels, actor, at=database_now() + timedelta(minutes=5), reason=reason),
    ]
    for do in doings:
        with pytest.raises(RoutesFrozen, match=r"Frozen until .*: Christmas\. Ask an admin"):
            do(actor=operator, reason="Urgent")
        with pytest.raises(RoutesFrozen, match="Say why it cannot wait"):
            do(actor=admin, reason=" ")
    change_channel(channel=channels[0], label="Front desk", actor=operator)  # changes nothing that callers hear
    for do in doings:
        do(actor=admin, reason="Urgent")
    lift_freeze(freeze=window, actor=admin)
    assert open_freeze() is None
    save_route(channel=channels[0], plan=single(Target("clinic", Follow.VERSION, 3)), actor=operator)


def test_a_freeze_that_was_made_after_the_plan_refuses_it_at_its_moment(
    channels: list[Channel], operator: User, clock: Clock
) -> None:
    admin = make_user("admin")
    change = plan_route(channels, operator, reason="Planned")
    by_admin = plan_route(channels[:1], admin, reason="The clinic closes")
    by_hasty_admin = plan_route(channels[1:], admin)
    freeze(starts=HOUR / 2, ends=2 * HOUR)
    assert [bool(each.freeze) for each in upcoming()] == [True] * 3
    clock.ahead = HOUR
    run_due_steps()
    outcomes = [each.steps.get().outcome for each in (change, by_admin, by_hasty_admin)]
    assert outcomes == [Outcome.REFUSED, Outcome.DONE, Outcome.REFUSED]
    assert [route_of(channel) for channel in channels] == ["clinic V1", "clinic Draft", "clinic Draft"]


def test_a_freeze_that_makes_no_sense_is_refused(operator: User) -> None:
    now = database_now()
    for occasion, starts, ends, words in (
        (" ", -HOUR, HOUR, "what the freeze is for"),
        ("Audit", HOUR, HOUR, "not after the start"),
        ("Audit", -2 * HOUR, -HOUR, "has passed already"),
    ):
        with pytest.raises(FreezeRefused, match=words):
            create_freeze(
                occasion=occasion, starts_at=now + starts, ends_at=now + ends, time_zone="UTC", actor=operator
            )
    window = freeze(starts=HOUR, ends=2 * HOUR)
    lift_freeze(freeze=window, actor=operator)
    with pytest.raises(FreezeRefused, match="over already"):
        lift_freeze(freeze=window, actor=operator)
