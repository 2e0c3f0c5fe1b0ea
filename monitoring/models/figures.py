"""Figures that ingestion keeps exactly: sums by hour, costs by currency, durations in buckets by day."""

from typing import Any, ClassVar

from django.db import models

from agentversions.models.database import READ_APPEND_AND_CHANGE
from monitoring.core.figures import NAMES


class HourFigures(models.Model):
    """Sums over the calls of an agent that began in an hour (UTC), by version, variant and whether they are tests.

    `version` is 0 for the draft and -1 where it is not known; the columns are `monitoring.core.figures.NAMES`.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    pk = models.CompositePrimaryKey("agent_id", "hour", "version", "variant", "is_test")
    agent_id = models.IntegerField()
    hour = models.DateTimeField()
    version = models.IntegerField()
    variant = models.CharField(max_length=60)
    is_test = models.BooleanField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        # How many calls some versions had at all times: the count above the list of calls.
        indexes = [
            models.Index(fields=["agent_id", "version"], include=["is_test", "calls"], name="hour_figures_of_version")
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} V{self.version} {self.hour:%Y-%m-%d %H}"


GREAT = frozenset({"duration_ms", "duration_ds_squared", "latency_ms", "score_milli"})
"""Sums that an hour may carry beyond 2^31; counts never do, and PostgreSQL adds small integers several times faster."""
for _name in NAMES:
    _field = models.BigIntegerField if _name in GREAT else models.IntegerField
    HourFigures.add_to_class(_name, _field(default=0))


class CostFigures(models.Model):
    """What the calls of an hour cost, by currency."""

    database_privileges = READ_APPEND_AND_CHANGE

    pk = models.CompositePrimaryKey("agent_id", "hour", "version", "variant", "is_test", "currency")
    agent_id = models.IntegerField()
    hour = models.DateTimeField()
    version = models.IntegerField()
    variant = models.CharField(max_length=60)
    is_test = models.BooleanField()
    currency = models.CharField(max_length=3)
    calls = models.BigIntegerField()
    cost = models.DecimalField(max_digits=20, decimal_places=6)

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"{self.agent_id} {self.currency}"


class DurationFigures(models.Model):
    """How many calls of a day (UTC) lasted how long: `bucket` is `monitoring.core.histogram.bucket_of`."""

    database_privileges = READ_APPEND_AND_CHANGE

    pk = models.CompositePrimaryKey("agent_id", "day", "version", "is_test", "bucket")
    agent_id = models.IntegerField()
    day = models.DateField()
    version = models.IntegerField()
    is_test = models.BooleanField()
    bucket = models.SmallIntegerField()
    calls = models.BigIntegerField()

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}"
