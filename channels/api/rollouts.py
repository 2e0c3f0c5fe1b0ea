"""Rollouts over the API: starting one, reading them, moving one."""

from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import register_converter, reverse
from django.urls.converters import StringConverter
from ninja import Router
from pydantic import Field

from agentversions.api.addresses import next_page
from agentversions.api.authentication import READ, ROUTE, actor_of
from agentversions.api.finding import find_agent
from channels.core.rollout_judging import LEAST_SAMPLE, Counts, Figures, Guardrail, Judging, Rule
from channels.core.rollout_states import By, Move
from channels.core.rollout_steps import MAX_DURATION, PRESETS, SOAK, Preset, Step, preset_steps
from channels.core.shares import NotAShare, percent, read_percent
from channels.models import Rollout, RolloutMove
from channels.services.channels import find_channel
from channels.services.errors import RolloutRefused
from channels.services.rollout_list import find_rollout, list_rollouts
from channels.services.rollouts import allowed_moves, move_rollout, start_rollout

from .schemas_rollouts import (
    JudgingAnswer,
    MoveAnswer,
    MoveName,
    NewJudging,
    NewMove,
    NewRollout,
    NewStep,
    RolloutAnswer,
    RolloutList,
    StateName,
    StepAnswer,
)


class MoveWord(StringConverter):
    """A word of an address that is a move, or meant to be one: `evaluations` is what the judge said."""

    regex = "(?!evaluations$)[^/]+"


register_converter(MoveWord, "rollout_move")
router = Router()
Size = Annotated[int, Field(ge=1, le=200)]
Place = Annotated[int, Field(ge=1, le=2**53)]
Slug = Annotated[str, Field(max_length=100)]


@router.get("/rollouts", auth=READ, response=RolloutList, url_name="rollouts", summary="List rollouts")
def list_all(
    request: HttpRequest,
    agent: Slug = "",
    state: StateName | None = None,
    below: Place | None = None,
    limit: Size = 50,
) -> RolloutList:
    """The newest first, of one agent or in one state where they are named; `next` goes on."""
    found = list_rollouts(agent=agent.replace("\x00", ""), state=state or "", below=below)
    rows = list(found.prefetch_related("moves__actor")[: limit + 1])
    items = [_answer(rollout) for rollout in rows[:limit]]
    following = next_page(request, below=str(items[-1].id)) if len(rows) > limit else None
    return RolloutList(items=items, next=following)


@router.post("/rollouts", auth=ROUTE, response={201: RolloutAnswer}, url_name="rollouts", summary="Start a rollout")
def start(request: HttpRequest, response: HttpResponse, body: NewRollout) -> RolloutAnswer:
    """Now, or at `starts_at`. An agent has one rollout that is not over (409 `rollout-open` names it).

    What the version lacks is listed by 409 `not-ready`; `override_reason`, by an approver who did not publish it,
    passes over it.
    """
    steps, max_duration_s = _plan(body)
    rollout = start_rollout(
        agent=find_agent(body.agent),
        version=body.version,
        steps=steps,
        max_duration_s=max_duration_s,
        judging=_judging(body.judging),
        starts_at=body.starts_at,
        follow_live=[find_channel(address).address for address in dict.fromkeys(body.follow_live)],
        reason=body.reason,
        override_reason=body.override_reason,
        actor=actor_of(request),
    )
    response["Location"] = reverse("api:rollout", args=[rollout.pk])
    return _answer(_find(rollout.pk))


@router.get("/rollouts/{number}", auth=READ, response=RolloutAnswer, url_name="rollout", summary="Read a rollout")
def read(request: HttpRequest, number: Place) -> RolloutAnswer:
    """Where it stands, every move with its reason, and what may be done now."""
    return _answer(_find(number))


@router.post(
    "/rollouts/{number}/{rollout_move:move}",
    auth=ROUTE,
    response=RolloutAnswer,
    url_name="rollout_move",
    summary="Move a rollout",
)
def move_one(request: HttpRequest, number: Place, move: MoveName, body: NewMove) -> RolloutAnswer:
    """Promoting, rolling back and cancelling need a `reason`. Rolling back sets the share to 0 at once."""
    move_rollout(
        rollout=_find(number),
        move=Move(move),
        by=By.PERSON,
        reason=body.reason,
        seen_moves=body.seen,
        actor=actor_of(request),
    )
    return _answer(_find(number))


def _plan(body: NewRollout) -> tuple[tuple[Step, ...], int]:
    """Steps and the longest time: of the preset, or one's own."""
    if body.steps is None:
        preset = Preset(body.preset)
        longest = PRESETS[preset].max_duration_s if body.max_duration_s is None else body.max_duration_s
        return preset_steps(preset), longest
    longest = MAX_DURATION if body.max_duration_s is None else body.max_duration_s
    return tuple(_step(index, step) for index, step in enumerate(body.steps)), longest


def _step(index: int, body: NewStep) -> Step:
    try:
        share = read_percent(body.share)
    except NotAShare as error:
        raise RolloutRefused.at(f"steps.{index}.share", str(error)) from error
    return Step(share, body.margin, SOAK if body.soak_s is None else body.soak_s)


def _judging(body: NewJudging) -> Judging:
    return Judging(
        Rule(body.rule),
        Figures(body.figures),
        Counts(body.counts),
        tuple(Guardrail(each) for each in body.guardrails),
        LEAST_SAMPLE if body.least_sample is None else body.least_sample,
    )


def _find(number: int) -> Rollout:
    rollout = find_rollout(number)
    if rollout is None:
        raise Http404("There is no such rollout.")
    prefetch_related_objects([rollout], "moves__actor")
    return rollout


def _answer(rollout: Rollout) -> RolloutAnswer:
    value, judging = rollout.value, rollout.judging
    rows = list(rollout.moves.all())
    # The state and the allowed moves are names of the core's enumerations.
    state: Any = value.state.value
    may: Any = [move.value for move in allowed_moves(rollout)]
    preset: Any = value.plan.preset.value
    return RolloutAnswer(
        id=rollout.pk,
        agent=rollout.agent.slug,
        version=rollout.version.number,
        baseline=rollout.baseline.number,
        state=state,
        step=value.step + 1,
        share=percent(value.share),
        preset=preset,
        steps=[
            StepAnswer(share=percent(step.share), margin=step.margin, soak_s=step.soak_s) for step in value.plan.steps
        ],
        max_duration_s=value.plan.max_duration_s,
        judging=JudgingAnswer(
            rule=judging.rule.value,
            figures=judging.figures.value,
            counts=judging.counts.value,
            guardrails=[each.value for each in judging.guardrails],
            least_sample=judging.least_sample,
        ),
        starts_at=rollout.starts_at,
        reason=rollout.reason,
        made_at=rollout.created_at,
        made_by=rollout.created_by.username,
        seen=rows[-1].pk if rows else 0,
        may=may,
        moves=[_move(row) for row in rows],
    )


def _move(row: RolloutMove) -> MoveAnswer:
    state: Any = row.state
    by: Any = row.by
    return MoveAnswer(
        move=row.move,
        state=state,
        step=row.step + 1,
        share=percent(row.share),
        by=by,
        actor=row.actor.username if row.actor else None,
        reason=row.reason,
        at=row.at,
    )
