"""Attributing a batch in memory says what asking for each call says, with as many queries for any number of calls."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentversions.core.reading import read_document
from agentversions.models import Agent, Deployment
from agentversions.services.deployments import live_version, make_live
from agentversions.services.drafts import replace_draft
from channels.core.rollout_states import By, Move
from channels.core.rollout_steps import Step
from channels.core.routes import Follow, Target, WantedVariant, split
from channels.models import Channel, RolloutMove
from channels.services.answered import answered_at
from channels.services.channels import change_channel
from channels.services.draft_serving import apply_draft, serve_at_once, wait_for_apply
from channels.services.errors import NotServing, RolloutMoveRefused, RolloutOpen, RolloutRefused
from channels.services.rollouts import move_rollout, open_rollout, start_rollout
from channels.services.routes import pin, save_route
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from monitoring.services.route_history import Answer, RouteHistory
from tests.factories import make_agent, make_channel, make_user, make_version

pytestmark = pytest.mark.django_db
CALLERS = (None, "anonymous", "+33612345678", "0612345678", "sip:ana@example.com", "+442071234567")
ACTIONS = ("pin 1", "pin 2", "live", "draft", "split", "mixed", "off", "on", "label", "live 1", "live 2",
           "edit", "wait", "apply", "at once", "roll", "roll", "roll on", "roll back")  # fmt: skip


def act(action: str, at: int, channel: Channel, boss: Any) -> None:
    """One change of what the channel answers, or of what it follows."""
    agent = Agent.objects.get(slug="clinic")
    channel = Channel.objects.get(pk=channel.pk)
    pinned = [Target("clinic", Follow.VERSION, number) for number in (1, 2)]
    match action.split(" "):
        case ["pin", number]:
            pin(channel=channel, target=pinned[int(number) - 1], actor=boss)
        case ["live", number]:
            make_live(version=agent.versions.get(number=int(number)), actor=boss)
        case ["live" | "draft"]:
            pin(channel=channel, target=Target("clinic", Follow(action)), actor=boss)
        case ["split" | "mixed"]:
            second = pinned[1] if action == "split" else Target("clinic", Follow.DRAFT)
            arms = [WantedVariant("A", pinned[0], 30_000), WantedVariant("B", second, 70_000)]
            save_route(channel=channel, plan=split(arms, salt=f"salt {at}"), actor=boss)
        case ["on" | "off"]:
            change_channel(channel=channel, is_enabled=action == "on", actor=boss)
        case ["label"]:
            change_channel(channel=channel, label=f"Label {at}", actor=boss)
        case ["roll"]:
            with suppress(RolloutOpen, RolloutRefused):
                other = 2 if live_version(agent) == agent.versions.get(number=1) else 1
                start_rollout(agent=agent, version=other, steps=[Step(40_000, 2, 0), Step(70_000, 2, 0)], actor=boss)
        case ["roll", word]:
            if (rollout := open_rollout(agent)) is not None:
                with suppress(RolloutMoveRefused):
                    move = Move.ADVANCE if word == "on" else Move.ROLL_BACK
                    move_rollout(rollout=rollout, move=move, by=By.PERSON, reason="Because", actor=boss)
        case ["edit"]:
            document = {**agent.draft.load().model_dump(mode="json"), "system_prompt": f"Edit {at}."}
            replace_draft(agent=agent, content=read_document(document), actor=boss)
        case ["wait"]:
            wait_for_apply(agent=agent, actor=boss)
        case ["apply"]:
            with suppress(NotServing):
                apply_draft(agent=agent, actor=boss)
        case _:
            serve_at_once(agent=agent, actor=boss)


def moments() -> list[datetime]:
    """Every moment at which anything changed, a little before and after it, and before everything."""
    found = {*Channel.history.values_list("history_date", flat=True)}
    found |= {*Agent.history.values_list("history_date", flat=True)}
    found |= {*RolloutMove.objects.values_list("at", flat=True)}
    found |= {*Deployment.objects.values_list("created_at", flat=True)}
    first = min(Channel.history.values_list("history_date", flat=True))
    tick = timedelta(microseconds=1)
    return sorted(
        {each + shift for each in found for shift in (-tick, timedelta(), tick) if each >= first} | {first - tick}
    )


def slowly(channel: Channel, moment: datetime, caller: str | None, call_id: str) -> Answer | None:
    said = answered_at(channel, moment, caller=caller, call_id=call_id)
    if said.agent is None or said.digest is None:
        return None
    variant = (said.decision.variant or "") if said.decision else ""
    rollout = said.rollout.id if said.rollout and said.assignment else None
    version = said.version.number if said.version else None
    return Answer(said.agent.pk, version, said.digest, variant, rollout, said.assignment)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=9))
def test_a_batch_is_attributed_as_each_of_its_calls_alone(actions: list[str]) -> None:
    with transaction.atomic():
        boss = make_user("admin")
        agent = make_agent(boss, slug="clinic")
        for number in (1, 2):
            make_version(agent, system_prompt=f"Prompt {number}.")
        make_live(version=agent.versions.get(number=1), actor=boss)
        channels = [make_channel(agent, address="+33198765432"), make_channel(agent, kind="chat", address="support")]
        for at, action in enumerate(actions):
            act(action, at, channels[at % 2], boss)
        history = RouteHistory(channels)
        for channel in channels:
            for at, moment in enumerate(moments()):
                caller, call_id = CALLERS[at % len(CALLERS)], f"call-{at}"
                fast = history.answer(channel.address, moment, caller=caller, call_id=call_id)
                assert fast == slowly(channel, moment, caller, call_id)
        transaction.set_rollback(True)


def test_more_calls_need_no_more_queries() -> None:
    agent = make_agent(slug="clinic")
    make_version(agent, system_prompt="Prompt 1.")
    for kind in (Follow.VERSION, Follow.DRAFT):
        pin(
            channel=make_channel(agent, address="+33198765432" if kind == Follow.DRAFT else "+33198765433"),
            target=Target("clinic", kind, 1 if kind == Follow.VERSION else None),
            actor=make_user("operator"),
        )
    counts = []
    for size in (2, 60):
        calls = [
            {"id": f"{size}-{at}", "called": f"+3319876543{2 + at % 2}", "started_at": datetime.now(UTC).isoformat()}
            for at in range(size)
        ]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ingest([read_record(call) for call in calls], source="import")
        counts.append(len(queries))
    assert counts[0] == counts[1]
