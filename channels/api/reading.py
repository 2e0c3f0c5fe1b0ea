"""Reads routes as the API sends them."""

from channels.core.routes import Follow, RoutePlan, Target, WantedVariant, single
from channels.core.shares import NotAShare, read_percent
from channels.services.errors import RouteRefused
from channels.services.routes import plan_test

from .schemas import NewRoute


def target_of(agent: str, answers: str) -> Target:
    """What `draft`, `live` or `V3` of an agent means."""
    if answers in {"draft", "live"}:
        return Target(agent, Follow(answers))
    return Target(agent, Follow.VERSION, int(answers[1:]))


def plan_of(body: NewRoute, before: RoutePlan | None) -> RoutePlan:
    """The plan that was sent; a test goes on from `before`. Raises RouteRefused."""
    if (body.agent is None) == (body.variants is None):
        raise RouteRefused([(None, "Send either “agent” with “answers”, or “variants”.")])
    if body.agent is not None:
        return single(target_of(body.agent, body.answers))
    wanted: list[WantedVariant] = []
    problems: list[tuple[int | None, str]] = []
    for index, each in enumerate(body.variants or []):
        try:
            wanted.append(WantedVariant(each.name, target_of(each.agent, each.answers), read_percent(each.share)))
        except NotAShare as error:
            problems.append((index, str(error)))
    if problems:
        raise RouteRefused(problems)
    return plan_test(wanted, before=before)
