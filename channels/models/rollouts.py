"""Rollouts: what was decided, where each stands, every move that it made, and who was routed to which arm."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from agentversions.models import Agent, AgentVersion, Deployment, User
from agentversions.models.database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from channels.core.rollout_judging import Judging, read_judging
from channels.core.rollout_states import By, Move, State
from channels.core.rollout_steps import Arm, RolloutPlan, read_plan
from channels.core.rollout_steps import Rollout as RolloutValue

STATES = [(each.value, each.word.capitalize()) for each in State]
OVER = [each.value for each in State if each.is_over]


class Rollout(models.Model):
    """A version that goes to more and more callers of an agent's live version. Only `state` and `step` ever change;
    PostgreSQL lets an agent have one that is not over."""

    database_privileges = READ_APPEND_AND_CHANGE

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="rollouts")
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="rollouts")
    baseline = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    plan_body = models.TextField()
    judging_body = models.TextField()
    state = models.CharField(max_length=12, choices=STATES, default=State.SCHEDULED.value)
    step = models.PositiveSmallIntegerField(default=0)
    starts_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["Rollout"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["agent"], name="rollout_one_per_agent", condition=~Q(state__in=OVER)),
            models.CheckConstraint(name="rollout_of_another_version", condition=~Q(version=F("baseline"))),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["state", "step"]),
            ),
            pgtrigger.Protect(
                name="over_is_over", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state__in=OVER)
            ),
        ]

    def __str__(self) -> str:
        return str(self.plan)

    @property
    def plan(self) -> RolloutPlan:
        """What was decided when it was made."""
        return read_plan(self.plan_body)

    @property
    def judging(self) -> Judging:
        """How it is judged."""
        return read_judging(self.judging_body)

    @property
    def value(self) -> RolloutValue:
        """The plan and where it stands."""
        return RolloutValue(self.plan, State(self.state), self.step)


class RolloutMove(models.Model):
    """One move of a rollout with where it led; `share` (of 100,000) is in force from then on.

    `by` says who; `actor` is the person, if one did it. `evaluation` is the judge's evaluation that it stands on.
    """

    database_privileges = READ_AND_APPEND

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="moves", db_index=False)
    move = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Move])
    state = models.CharField(max_length=12, choices=STATES)
    step = models.PositiveSmallIntegerField()
    share = models.PositiveIntegerField()
    by = models.CharField(max_length=10, choices=[(each.value, each.value) for each in By])
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    reason = models.TextField(blank=True, default="")
    evaluation = models.BigIntegerField(null=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["RolloutMove"]] = models.Manager()

    class Meta:
        ordering = ["rollout", "id"]
        indexes = [models.Index(fields=["rollout", "id"], name="rollout_move_in_order")]
        triggers = append_only(table="RolloutMove")

    def __str__(self) -> str:
        return f"{self.move} → {self.state}"


class RoutedCall(models.Model):
    """A call that a rollout's split routed: the denominator, also of calls whose record never comes.

    `caller_hash` is the keyed hash of the caller (None: withheld, not analysed); `share` was in force then.
    """

    database_privileges = READ_AND_APPEND

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="+", db_index=False)
    call_id = models.CharField(max_length=256)
    at = models.DateTimeField()
    arm = models.CharField(max_length=6, choices=[(each.value, each.value) for each in Arm])
    share = models.PositiveIntegerField()
    bucket = models.PositiveIntegerField()
    caller_hash = models.BinaryField(null=True, max_length=16)
    channel = models.CharField(max_length=64)

    objects: ClassVar[models.Manager["RoutedCall"]] = models.Manager()

    class Meta:
        constraints = [
            # A call counts once, however often it was asked for; also finds the calls of a rollout.
            models.UniqueConstraint(fields=["rollout", "call_id"], name="routed_call_once"),
        ]
        triggers = append_only(table="RoutedCall")

    def __str__(self) -> str:
        return f"{self.call_id}: {self.arm}"
