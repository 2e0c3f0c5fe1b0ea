"""The runtime's own rows: the log of what moved, the keys that sign resolutions, the numbers that nobody answered."""

from typing import ClassVar

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from agentversions.models.database import READ_AND_APPEND, ClockTimestamp


class TransactionId(Func):
    """The id of the current transaction, a 64-bit number that only grows."""

    function = "pg_current_xact_id"
    template = "(%(function)s()::text::bigint)"
    output_field = models.BigIntegerField()


class RoutingChange(models.Model):
    """Something that a worker may hold in memory moved. Written by triggers, in the transaction that moved it.

    `kind` is channel, agent, token, tokens or keys; `key` an address, a slug or a token's digest.
    Readers go by `transaction`, never by `id`: a slow transaction commits a smaller id after a greater one was read.
    """

    transaction = models.BigIntegerField(db_default=TransactionId())
    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=100)
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["RoutingChange"]] = models.Manager()

    class Meta:
        indexes = [
            # What committed since the last look, every second, by every worker.
            models.Index(fields=["transaction"], name="routing_change_by_transaction"),
            # What is old enough to be cleared away.
            models.Index(fields=["at"], name="routing_change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SigningKey(models.Model):
    """A key that signs resolutions. The newest signs; older ones still verify."""

    database_privileges = READ_AND_APPEND

    name = models.CharField(max_length=12, unique=True)
    secret = models.BinaryField()
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["SigningKey"]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class MissedNumber(models.Model):
    """A number that callers reached and that nothing answered (404), with how often."""

    number = models.CharField(max_length=64, primary_key=True)
    why = models.CharField(max_length=200)
    times = models.BigIntegerField(default=0)
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["MissedNumber"]] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["-last_at"], name="missed_number_newest")]

    def __str__(self) -> str:
        return self.number
