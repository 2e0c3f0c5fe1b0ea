"""Saving what answers a channel: the route is stored as a value, then the channel's pointer moves with its history."""

import secrets
from collections.abc import Iterable, Sequence

from django.db import transaction

from agentversions.core.digest import digest_of
from agentversions.models import Agent, AgentVersion, User
from agentversions.models.database import ClockTimestamp
from agentversions.services.audit import record
from agentversions.services.freezes import refuse_frozen
from channels.core.routes import (
    LONGEST_NAME,
    MOST_VARIANTS,
    Follow,
    RoutePlan,
    Target,
    WantedVariant,
    single,
    split,
    write_route,
)
from channels.core.shares import sum_in_words
from channels.models import Channel, Route, RouteTarget

from .errors import RouteMoved, RouteRefused


def new_salt() -> str:
    """A salt for a new test: random, never used again, so that two tests never split alike."""
    return secrets.token_hex(16)


def plan_test(wanted: Sequence[WantedVariant], *, before: RoutePlan | None = None) -> RoutePlan:
    """The plan of an A/B test. It goes on from `before` when that is a test with a variant of the same name.

    Raises RouteRefused with every problem of names and shares.
    """
    problems = _problems_of(wanted)
    if problems:
        raise RouteRefused(problems)
    names = {variant.name for variant in before.variants} if before else set()
    goes_on = before is not None and any(variant.name in names for variant in wanted)
    return split(wanted, salt=before.salt if before and goes_on else new_salt(), before=before)


def _problems_of(wanted: Sequence[WantedVariant]) -> list[tuple[int | None, str]]:
    problems: list[tuple[int | None, str]] = []
    seen_names: set[str] = set()
    seen_targets: dict[Target, int] = {}
    for index, variant in enumerate(wanted):
        if not variant.name.strip() or len(variant.name) > LONGEST_NAME or "\x00" in variant.name:
            problems.append((index, f"Give the variant a name of 1 to {LONGEST_NAME} characters."))
        if variant.name.casefold() in seen_names:
            problems.append((index, f"There are two variants named “{variant.name}”. Give one another name."))
        if variant.target in seen_targets:
            other = wanted[seen_targets[variant.target]].name
            problems.append((index, f"“{other}” answers with {variant.target} already. Choose another version."))
        if variant.share < 1:
            problems.append((index, "Give the variant a share of at least 0.001 %, or remove it."))
        seen_names.add(variant.name.casefold())
        seen_targets.setdefault(variant.target, index)
    if len(wanted) < 2:
        problems.append((None, "A test needs two variants or more."))
    if len(wanted) > MOST_VARIANTS:
        problems.append((None, f"A test has at most {MOST_VARIANTS} variants."))
    if words := sum_in_words([variant.share for variant in wanted]):
        problems.append((None, words))
    return problems


@transaction.atomic
def store_route(plan: RoutePlan) -> Route:
    """The row of a plan: the one that is there, or a new one with its targets.

    Raises RouteRefused for an unknown or archived agent, an unknown version, and Live where nothing is live. Checked
    also for a route that exists: an agent may have been archived since.
    """
    targets = _find_targets(plan)
    body = write_route(plan)
    route, is_new = Route.objects.get_or_create(
        digest=digest_of(body), defaults={"body": body, "is_test": plan.is_test}
    )
    if is_new:
        RouteTarget.objects.bulk_create(
            [
                RouteTarget(route=route, position=position, agent=agent, follow=target.follow, version=version)
                for position, (target, agent, version) in enumerate(targets)
            ]
        )
    return route


def _find_targets(plan: RoutePlan) -> list[tuple[Target, Agent, AgentVersion | None]]:
    """Each target with its agent and pinned version. The agents stay locked, so that none is archived meanwhile."""
    agents = {agent.slug: agent for agent in _locked_agents(plan.agents)}
    wanted = [(target.agent, target.version) for target in plan.targets if target.version is not None]
    versions = {
        (version.agent.slug, version.number): version
        for version in AgentVersion.objects.select_related("agent").filter(
            agent__slug__in={slug for slug, _ in wanted}, number__in={number for _, number in wanted}
        )
    }
    found: list[tuple[Target, Agent, AgentVersion | None]] = []
    problems: list[tuple[int | None, str]] = []
    for index, target in enumerate(plan.targets):
        agent = agents.get(target.agent)
        version = versions.get((target.agent, target.version)) if target.version is not None else None
        if agent is None:
            problems.append((index, f"There is no agent “{target.agent}”. Choose one from the list."))
        elif problem := _why_not(target, agent, version):
            problems.append((index, problem))
        else:
            found.append((target, agent, version))
    if problems:
        raise RouteRefused(problems if plan.is_test else [(None, problems[0][1])])
    return found


def _locked_agents(slugs: Iterable[str]) -> list[Agent]:
    # A share lock: routes of one agent are saved side by side; archiving it (FOR UPDATE) waits.
    rows = Agent.objects.filter(slug__in=sorted(slugs)).order_by("pk").select_for_update(of=("self",), no_key=True)
    return list(rows)


def _why_not(target: Target, agent: Agent, version: AgentVersion | None) -> str:
    if agent.is_archived:
        return f"“{agent.name}” is archived. Choose another agent, or bring it back first."
    if target.follow == Follow.VERSION and version is None:
        last = agent.versions.newest_first().first()
        if last is None:
            return f"“{agent.name}” has no version yet. Publish one, or choose Draft."
        return f"“{agent.name}” has no V{target.version}: its newest is {last}. Choose one of its versions."
    if target.follow == Follow.LIVE and not agent.deployments.exists():
        return f"“{agent.name}” has no live version yet. Make one live first, or choose a version."
    return ""


@transaction.atomic
def save_route(*, channel: Channel, plan: RoutePlan, seen: str | None = None, reason: str = "", actor: User) -> Channel:
    """Point a channel at a route. `seen` is the digest the operator looked at (None: whatever is there).

    Raises RouteMoved when somebody saved another one in between, RouteRefused with what is wrong, RoutesFrozen. The
    same route again changes nothing.
    """
    locked = lock_channel(channel)
    if seen is not None and locked.route_id != seen:
        raise RouteMoved(Channel.objects.with_route().get(pk=locked.pk))
    route = store_route(plan)
    if route.digest == locked.route_id:
        return locked
    refuse_frozen(reason=reason, actor=actor)
    before = locked.route
    point_at(channel=locked, route=route, reason=reason, actor=actor)
    record(
        action="route changed",
        subject_kind="channel",
        subject=locked.address,
        reason=reason.strip(),
        before={"route": str(before)},
        after={"route": str(route)},
        actor=actor,
    )
    return locked


def lock_channel(channel: Channel) -> Channel:
    """The channel's row, locked until the transaction ends. Its route is not joined (see draft_pointer.lock_agent)."""
    locked: Channel = Channel.objects.select_for_update().get(pk=channel.pk)
    return locked


def point_at(*, channel: Channel, route: Route, reason: str, actor: User) -> None:
    """Move a locked channel's pointer, with its history row."""
    channel.route = route
    channel.route_changed_by = actor
    channel.route_changed_at = ClockTimestamp()
    channel._history_user = actor  # type: ignore[attr-defined]
    channel._change_reason = reason.strip()  # type: ignore[attr-defined]
    channel.save(update_fields=["route", "route_changed_at", "route_changed_by"])
    channel.refresh_from_db(fields=["route_changed_at"])


def pin(*, channel: Channel, target: Target, reason: str = "", actor: User) -> Channel:
    """Let one target answer a channel."""
    return save_route(channel=channel, plan=single(target), reason=reason, actor=actor)
