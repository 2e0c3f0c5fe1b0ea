"""What a caller would get, step by step, by the code that the runtime runs."""

from dataclasses import dataclass

from django.db import connection

from agentversions.models import AgentVersion
from channels.core.phone_numbers import Caller, read_caller, region_of, shown
from channels.core.routing import Decision, Unit, choose, unit_of
from channels.core.shares import percent
from channels.models import Channel
from channels.runtime.facts import Answer, RouteFacts, compile_route
from channels.runtime.statements import LOAD_ROUTES


@dataclass(frozen=True)
class Explanation:
    """The steps in words, and what they end in. No `answer`: the call would get a 404, and the last step says why."""

    steps: tuple[str, ...]
    decision: Decision | None = None
    answer: Answer | None = None
    unit: Unit | None = None


def explain(channel: Channel, *, caller: str | None = None, call_id: str | None = None) -> Explanation:
    """The way of one call from the number to a configuration. Nothing is recorded."""
    steps = [f"{channel} was called."]
    if not channel.is_enabled:
        return Explanation((*steps, "It is switched off: the call gets a 404."))
    route = load_route(channel.route_id)
    known = read_caller(caller, region_of(channel.address)) if caller else Caller(None)
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
    answer = route.answers[decision.index]
    steps.append(_target_in_words(decision, answer))
    return Explanation(tuple(steps), decision, answer if answer.digest else None, counted)


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


def _target_in_words(decision: Decision, answer: Answer) -> str:
    target = decision.target
    if answer.digest is None:
        return f"“{answer.agent}” has no live version: the call gets a 404."
    if answer.version is None:
        return f"{target.agent}'s draft answers, as callers hear it now ({answer.digest[:8]})."
    follows = f"{target.agent} follows Live, which is " if target.follow == "live" else f"{target.agent} is pinned to "
    return f"{follows}V{answer.version} “{answer.version_name}” ({answer.digest[:8]})."


def version_of(answer: Answer) -> AgentVersion | None:
    """The version of an answer, for its link."""
    if answer.version is None:
        return None
    return AgentVersion.objects.select_related("agent").get(agent__slug=answer.agent, number=answer.version)
