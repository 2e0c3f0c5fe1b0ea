"""The planned changes as their pages show them: what is to come, what became of the rest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q

from agentversions.models import FreezeWindow
from agentversions.models.database import ClockTimestamp
from channels.models import Channel, ScheduledChange, ScheduledStep
from channels.models.schedule import Outcome, Step

from .schedule import waiting_step


@dataclass(frozen=True)
class Planned:
    """A planned change with its state in one word, the step to come, and the freeze that would refuse it."""

    change: ScheduledChange
    state: str
    waiting: str | None
    next_at: datetime | None
    freeze: FreezeWindow | None = None

    @property
    def steps(self) -> list[ScheduledStep]:
        """What has ended, in order."""
        return list(self.change.steps.all())


def upcoming() -> list[Planned]:
    """Everything that is still to happen, the next first."""
    return _next_first(_whole().filter(_coming()))


def over() -> Any:
    """The changes of which nothing is to come, the latest first, as a query to be paged."""
    return _whole().exclude(_coming()).order_by("-at", "-id")


def planned_for_channel(channel: Channel) -> list[Planned]:
    """What is still to come for one channel."""
    return _next_first(_whole().filter(_coming(), items__channel=channel))


def _coming() -> Q:
    """Whether a step of a change is still to come."""
    ended = ScheduledStep.objects.filter(change=OuterRef("pk"))
    waits_to_go = ~Exists(ended.filter(step=Step.GO))
    waits_to_return = (
        Q(back_at__isnull=False)
        & Exists(ended.filter(step=Step.GO, outcome=Outcome.DONE))
        & ~Exists(ended.filter(step=Step.BACK))
    )
    return Q(waits_to_go) | waits_to_return


def _next_first(changes: Iterable[ScheduledChange]) -> list[Planned]:
    return sorted(as_planned(changes), key=lambda each: (each.next_at or each.change.at, each.change.pk))


def as_planned(changes: Iterable[ScheduledChange]) -> list[Planned]:
    """Changes with their state."""
    freezes = list(FreezeWindow.objects.filter(lifted_at=None, ends_at__gt=ClockTimestamp()))
    return [_planned(change, freezes) for change in changes]


def _planned(change: ScheduledChange, freezes: list[FreezeWindow]) -> Planned:
    waiting = waiting_step(change)
    next_at = {Step.GO.value: change.at, Step.BACK.value: change.back_at}.get(waiting or "")
    steps = {step.step: step.outcome for step in change.steps.all()}
    last = steps.get(Step.BACK) or steps.get(Step.GO)
    state = {Step.GO.value: "planned", Step.BACK.value: "until"}.get(waiting or "", str(last))
    freeze = next((each for each in freezes if next_at and each.starts_at <= next_at < each.ends_at), None)
    return Planned(change, state, waiting, next_at, freeze)


def _whole() -> Any:
    return ScheduledChange.objects.select_related("version__agent", "route", "created_by").prefetch_related(
        "steps__by", "steps__batch"
    )


def list_changes(below: int | None = None) -> Any:
    """All planned changes, the newest plan first, as a query; `below` goes on after one."""
    return _whole().filter(**({"pk__lt": below} if below else {})).order_by("-id")


def find_scheduled(number: int) -> ScheduledChange | None:
    """A planned change with everything its page shows."""
    found: ScheduledChange | None = _whole().filter(pk=number).first()
    return found
