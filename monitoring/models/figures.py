"""Figures that ingestion keeps exactly, as `monitoring.core.rollups` says: each row is a sum over calls.

Every key begins with the agent (0: nobody knows). `version` is 0 for the draft and -1 where it is not known.
"""

from typing import Any, ClassVar

from django.db import models

from agentversions.models.database import READ_APPEND_AND_CHANGE
from monitoring.core.rollups import CHANNEL, COST, DAILY, DURATION, HOUR, REASON, Rollup


class Figures(models.Model):
    """A table of sums."""

    database_privileges: ClassVar[tuple[str, ...]] = READ_APPEND_AND_CHANGE

    agent_id = models.IntegerField()
    version = models.IntegerField()
    is_test = models.BooleanField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} of {self.agent_id}, V{self.version}"


class HourFigures(Figures):
    """Sums over the calls of an agent that began in an hour (UTC), by version, variant and whether they are tests."""

    pk = models.CompositePrimaryKey(*HOUR.keys)
    hour = models.DateTimeField()
    variant = models.CharField(max_length=60)

    class Meta:
        # How many calls some versions had at all times: the count above the list of calls.
        indexes = [
            models.Index(fields=["agent_id", "version"], include=["is_test", "calls"], name="hour_figures_of_version")
        ]


class DayFigures(Figures):
    """The same sums by day (UTC) and version: what long periods are made of."""

    pk = models.CompositePrimaryKey(*DAILY.keys)
    day = models.DateField()


class CostFigures(Figures):
    """What the calls of a day (UTC) cost in millionths of a currency, and how many had a cost."""

    pk = models.CompositePrimaryKey(*COST.keys)
    day = models.DateField()
    currency = models.CharField(max_length=3)


class DurationFigures(Figures):
    """How many calls of a day (UTC) or a month lasted how long, in parts of 32 buckets.

    The calls of bucket n of `monitoring.core.histogram` are in part n // 32, column b(n % 32).
    """

    pk = models.CompositePrimaryKey(*DURATION.keys)
    span = models.CharField(max_length=1)
    start = models.DateField()
    part = models.SmallIntegerField()


class ChannelFigures(Figures):
    """Sums over the calls that a channel got in a day (UTC)."""

    # Rows whose key holds an erased caller's number are deleted.
    database_privileges: ClassVar[tuple[str, ...]] = (*READ_APPEND_AND_CHANGE, "DELETE")

    pk = models.CompositePrimaryKey(*CHANNEL.keys)
    day = models.DateField()
    channel = models.CharField(max_length=64)

    class Meta:
        # A channel's week on its page.
        indexes = [models.Index(fields=["channel", "day"], name="channel_figures_of_channel")]


class ReasonFigures(Figures):
    """How many calls of a day (UTC) ended for which reason."""

    # Rows whose key holds an erased caller's number are deleted.
    database_privileges: ClassVar[tuple[str, ...]] = (*READ_APPEND_AND_CHANGE, "DELETE")

    pk = models.CompositePrimaryKey(*REASON.keys)
    day = models.DateField()
    reason = models.CharField(max_length=200)


GREAT = frozenset({"duration_ms", "duration_ds_squared", "latency_ms", "score_milli", "cost_micro"})
"""Sums that a day may carry beyond 2^31; counts never do, and PostgreSQL adds small integers several times faster."""


def _add_sums(model: type[Figures], rollup: Rollup) -> None:
    for name in rollup.sums:
        field = models.BigIntegerField if name in GREAT else models.IntegerField
        model.add_to_class(name, field(default=0))


for _model, _rollup in (
    (HourFigures, HOUR),
    (DayFigures, DAILY),
    (CostFigures, COST),
    (DurationFigures, DURATION),
    (ChannelFigures, CHANNEL),
    (ReasonFigures, REASON),
):
    _add_sums(_model, _rollup)
