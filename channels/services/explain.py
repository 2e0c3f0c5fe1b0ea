"""What a caller would get, step by step, by the code that the runtime runs."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection

from agentversions.models import Agent, AgentVersion
from agentversions.models.database import database_now
from channels.core.phone_numbers import Caller, region_of, shown
from channels.core.rollout_routing import Served
from channels.core.routing import Decision, Unit, choose, unit_of
from channels.core.shares import percent
from channels.models import Channel
from channels.runtime.facts import Answer, RouteFacts, compile_route
from channels.runtime.statements import LOAD_ROUTES

from .answered import rollout_of, serve
from .in_force import RolloutInForce, flags_at
from .overlays import FlagSaid, overlaid_by
from .situations import known_caller, situation_of


@dataclass(frozen=True)
class Explanation:
    """The steps in words, and what they end in. No `answer`: the call would get a 404, and the last step says why.

    `flags` are all in force; they leave the configuration of `effective`, which is the answer's where none changes it.
    """

    steps: tuple[str, ...]
    decision: Decision | None = None
    answer: Answer | None = None
    unit: Unit | None = None
    rollout: RolloutInForce | None = None
    served: Served | None = None
    flags: tuple[FlagSaid, ...] = ()
    effective: str | None = None

    @property
    def overlays(self) -> tuple[FlagSaid, ...]:
        """The flags that change the configuration."""
        return tuple(each for each in self.flags if each.changed)


def explain(channel: Channel, *, caller: str | None = None, call_id: str | None = None) -> Explanation:
    """The way of one call from the number to a configuration. Nothing is recorded."""
    steps = [f"{channel} was called."]
    if not channel.is_enabled:
        return Explanation((*steps, "It is switched off: the call gets a 404."))
    route, moment = load_route(channel.route_id), database_now()
    known = known_caller(caller, region_of(channel.address))
    unit, counted = unit_of(known.unit, call_id, "")
    if route.plan.is_test:
        steps.append(_caller_in_words(known, caller, counted, call_id))
        if counted == Unit.CHANCE:
            return Explanation((*steps, "Name a caller or a call to see which."))
    decision = choose(route.plan, unit)
    if decision.variant is not None and decision.bucket is not None:
        steps.append(f"An A/B test of {len(route.plan.variants)} variants answers.")
        steps.append(
            f"Bucket {decision.bucket:,} of 100,000 belongs to “{decision.variant}” ({percent(decision.share)} %)."
        )
    rollout = rollout_of(decision.target, moment)
    served = serve(decision, rollout, unit, counted)
    if rollout is not None:
        if not route.plan.is_test and served.assignment:
            steps.append(_caller_in_words(known, caller, counted, call_id))
        if served.assignment and counted == Unit.CHANCE:
            words = f"{_rolled_out(rollout)}. Name a caller or a call to see which arm."
            return Explanation((*steps, words), decision, rollout=rollout)
        steps.append(_rollout_in_words(rollout, served))
    answer = _canary(served) if served.is_canary else route.answers[decision.index]
    steps.append(_target_in_words(served, answer))
    if answer.digest is None:
        return Explanation(tuple(steps), decision, None, counted, rollout, served)
    zone = ZoneInfo(channel.time_zone)
    situation = situation_of(known, unit=unit, at=moment, zone=zone, channel=channel.address, variant=decision.variant)
    agent = Agent.objects.values_list("pk", flat=True).get(slug=answer.agent)
    said = overlaid_by(flags_at(agent, moment), digest=answer.digest, situation=situation)
    steps += [_flag_in_words(each) for each in said.flags if each.changed or each.skipped]
    return Explanation(tuple(steps), decision, answer, counted, rollout, served, said.flags, said.digest)


def _canary(served: Served) -> Answer:
    """What the canary's callers get: a version stays what it is, whatever is live meanwhile."""
    slug, number = served.target.agent, served.target.version
    assert number is not None
    version = AgentVersion.objects.get(agent__slug=slug, number=number)
    return Answer(slug, version.number, version.name, version.configuration_id)


def load_route(digest: str) -> RouteFacts:
    """A route with its targets followed, by the statement that the runtime runs."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD_ROUTES, [[digest]])
        return compile_route(*cursor.fetchone())


def _caller_in_words(known: Caller, caller: str | None, counted: Unit, call_id: str | None) -> str:
    if counted == Unit.CALLER:
        return f"The caller {shown(known.unit or '')} is counted: this caller always gets the same."
    withheld = "The caller's number is withheld" if caller else "No caller is named"
    if counted == Unit.CALL:
        return f"{withheld}: the call {call_id} is counted, so the next call may get another variant."
    return f"{withheld}: each call draws by chance."


def _rolled_out(rollout: RolloutInForce) -> str:
    value = rollout.value
    return f"V{value.plan.version} is rolled out to {percent(value.share)} % of callers ({value.state.word})"


def _rollout_in_words(rollout: RolloutInForce, served: Served) -> str:
    value, assignment = rollout.value, served.assignment
    if assignment is None:
        return f"A rollout of V{value.plan.version} is {value.state.word}: everybody gets the live version."
    side = "below" if served.is_canary else "not below"
    arm = "the canary" if served.is_canary else "the live version"
    name = _rolled_out(rollout)
    return f"{name}: bucket {assignment.bucket:,} of 100,000 is {side} {assignment.share:,}, so {arm} answers."


def _flag_in_words(said: FlagSaid) -> str:
    words = said.words if said.words.endswith((".", "!", "?")) else f"{said.words}."
    return f"Flag {said.flag.key}, revision {said.in_force.revision} ({said.evaluation.reason}): {words}"


def _target_in_words(served: Served, answer: Answer) -> str:
    target = served.target
    if answer.digest is None:
        return f"“{answer.agent}” has no live version: the call gets a 404."
    if answer.version is None:
        return f"{target.agent}'s draft answers, as callers hear it now ({answer.digest[:8]})."
    follows = f"{target.agent} is pinned to "
    if served.is_canary:
        follows = f"{target.agent}'s canary is "
    elif target.follow == "live":
        follows = f"{target.agent} follows Live, which is "
    return f"{follows}V{answer.version} “{answer.version_name}” ({answer.digest[:8]})."


def version_of(answer: Answer) -> AgentVersion | None:
    """The version of an answer, for its link."""
    if answer.version is None:
        return None
    return AgentVersion.objects.select_related("agent").get(agent__slug=answer.agent, number=answer.version)
