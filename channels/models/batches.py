"""Changes of many channels at once: what each answered before and after, so that the whole can be taken back."""

from typing import ClassVar

from django.db import models

from agentversions.models import User
from agentversions.models.database import READ_AND_APPEND, ClockTimestamp, append_only

from .channels import Channel
from .routes import Route


class RouteBatch(models.Model):
    """One change of many channels; `undoes` names the batch that it took back."""

    database_privileges = READ_AND_APPEND

    summary = models.CharField(max_length=300)
    reason = models.TextField(blank=True, default="")
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, related_name="undone_by", null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager["RouteBatch"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(table="RouteBatch")

    def __str__(self) -> str:
        return self.summary


class RouteBatchItem(models.Model):
    """One channel of a batch, with the route before and after."""

    database_privileges = READ_AND_APPEND

    batch = models.ForeignKey(RouteBatch, on_delete=models.PROTECT, related_name="items")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    before = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+", db_index=False)
    after = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["RouteBatchItem"]] = models.Manager()

    class Meta:
        triggers = append_only(table="RouteBatchItem")

    def __str__(self) -> str:
        return f"{self.channel_id}"
