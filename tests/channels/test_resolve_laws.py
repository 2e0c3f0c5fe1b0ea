"""Laws of /resolve with any flags: a call is reproduced from its token, and the same call is answered alike."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentversions.core.digest import digest_of
from channels.core.flag_overlay import Change, overlay
from channels.core.flag_rules import Situation, evaluate
from channels.core.flags import Flag, write_flag
from channels.core.resolution import verify
from channels.core.rollout_steps import RolloutPlan, Step, write_plan
from channels.core.routes import Follow, Target, single, write_route
from channels.runtime.database import Database
from channels.runtime.facts import ChannelFacts, compile_route
from channels.runtime.misses import Misses
from channels.runtime.resolving import Resolver, read_question
from channels.runtime.store import Store
from channels.runtime.world import World
from tests.core.flag_values import flags
from tests.core.test_flag_overlay import BODY, any_flag

NUMBER, KEYS = "+33198765432", {"k": b"key"}
OTHER = BODY.replace('"name":"Clinic"', '"name":"Canary"')
BODIES = {digest_of(body): body for body in (BODY, OTHER)}
ROLLOUT = write_plan(RolloutPlan("clinic", 2, 1, "salt", (Step(50_000, 2.0),)))


def world_of(found: list[Flag]) -> World:
    """A worker that has everything in memory and no database: V1 is live, V2 goes to half of the callers."""
    world = World(Database("postgres://nobody@127.0.0.1:1/none"), Store(Path("/nowhere/store")), limit=2**24)
    live, canary = BODIES
    rollout = [7, ROLLOUT, "running", 0, 2, "Two", canary]
    body = write_route(single(Target("clinic", Follow.LIVE)))
    route = compile_route("route", body, [["clinic", 1, "One", live, rollout]])
    channel = ChannelFacts(NUMBER, True, "route", "Europe/Paris")
    world.routes.put(route.digest, route, 1)
    world.channels.put(NUMBER, channel, 1)
    for digest, text in BODIES.items():
        world.bodies.put(digest, text.encode(), 1)
    world.take_flags([(flag.key, 3, write_flag(flag), False) for flag in found], whole=True)
    world.keys = dict(KEYS)
    world.saw([], 1, time.monotonic())
    return world


def ask(resolver: Resolver, **question: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        resolver.resolve(read_question(json.dumps({"number": NUMBER, "call_id": "c", **question}).encode()))
    )
    return answer


CALLS = st.fixed_dictionaries(
    {"caller": st.sampled_from(["+33612345678", "+33687654321", "06 12 34 56 78", "user-7", "anonymous", None])}
)


@given(st.lists(flags() | any_flag(), max_size=7, unique_by=lambda flag: flag.key), CALLS)
@settings(max_examples=50, deadline=None)
def test_a_call_is_reproduced_from_its_token_and_the_versions_body(found: list[Flag], call: dict[str, Any]) -> None:
    world = world_of(found)
    resolver = Resolver(world, Misses(), region=None, hash_of=str)
    said = ask(resolver, **call)
    payload = verify(said["resolution"], keys=KEYS, now=time.time())
    by_key = {flag.key: flag for flag in found}
    changes = tuple(
        Change(key, by_key[key].type, by_key[key].subject, by_key[key].value_of(variant))
        for key, (number, variant) in payload.get("x", {}).items()
    )
    made = overlay(BODIES[payload["d"]], changes)
    assert made.digest == payload.get("e", payload["d"]) == said["effective_digest"]
    assert json.loads(made.body) == said["configuration"]
    assert set(made.flags) == set(said["overlay"])
    again = ask(resolver, **call, have=[said["effective_digest"]])
    assert {**again, "configuration": said["configuration"]} | {"resolution": ""} == said | {"resolution": ""}


@given(st.lists(flags(), max_size=5, unique_by=lambda flag: flag.key), CALLS)
@settings(max_examples=40, deadline=None)
def test_the_values_are_those_that_the_rules_give(found: list[Flag], call: dict[str, Any]) -> None:
    found = [flag for flag in found if not any(rule.schedule for rule in flag.rules)]
    said = ask(Resolver(world_of(found), Misses(), region="FR", hash_of=str), **call)
    caller = (
        None if said["unit"] == "call_id" else {"06 12 34 56 78": "+33612345678"}.get(call["caller"], call["caller"])
    )
    situation = Situation(datetime.now(UTC), UTC, caller or "c", caller, NUMBER, None)
    mine = [flag for flag in found if flag.agent in ("", "clinic")]
    expected = json.loads(json.dumps({flag.key: evaluate(flag, situation).value for flag in mine}))
    assert said["flags"] == expected
