"""Changes that are planned for a moment, and what became of each of their steps."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agentversions.models import AgentVersion, Deployment, User
from agentversions.models.database import READ_AND_APPEND, ClockTimestamp, append_only

from .batches import RouteBatch
from .channels import Channel
from .routes import Route


class ScheduledChange(models.Model):
    """At a moment a version becomes live, or channels get a route; `back_at` takes it back. Never changed."""

    database_privileges = READ_AND_APPEND

    summary = models.CharField(max_length=300)
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+", null=True)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    at = models.DateTimeField()
    back_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["ScheduledChange"]] = models.Manager()

    class Meta:
        ordering = ["-at", "-id"]
        # What is due, every minute; the list by time.
        indexes = [models.Index(fields=["at", "id"], name="scheduled_change_by_time")]
        constraints = [
            models.CheckConstraint(
                name="scheduled_change_is_of_one_kind",
                condition=Q(version=None, route__isnull=False) | Q(version__isnull=False, route=None),
            ),
            models.CheckConstraint(
                name="scheduled_change_comes_back_later", condition=Q(back_at=None) | Q(back_at__gt=F("at"))
            ),
        ]
        triggers = append_only(table="ScheduledChange")

    def __str__(self) -> str:
        return self.summary


class ScheduledChannel(models.Model):
    """A channel that gets the route of a planned change."""

    database_privileges = READ_AND_APPEND

    change = models.ForeignKey(ScheduledChange, on_delete=models.PROTECT, related_name="items", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["ScheduledChannel"]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "channel"], name="scheduled_channel_once")]
        triggers = append_only(table="ScheduledChannel")

    def __str__(self) -> str:
        return f"{self.channel_id}"


class Step(models.TextChoices):
    """The two moments of a planned change."""

    GO = "go", "Change"
    BACK = "back", "Return"


class Outcome(models.TextChoices):
    """What became of a step."""

    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"


class ScheduledStep(models.Model):
    """A step that was done, refused or cancelled; PostgreSQL lets each step of a change end once."""

    database_privileges = READ_AND_APPEND

    change = models.ForeignKey(ScheduledChange, on_delete=models.PROTECT, related_name="steps", db_index=False)
    step = models.CharField(max_length=10, choices=Step.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    words = models.TextField(blank=True, default="")
    batch = models.ForeignKey(RouteBatch, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    at = models.DateTimeField(db_default=ClockTimestamp())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    objects: ClassVar[models.Manager["ScheduledStep"]] = models.Manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["change", "step"], name="scheduled_step_ends_once")]
        triggers = append_only(table="ScheduledStep")

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"
