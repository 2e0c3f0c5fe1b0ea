"""Senders' ids: each call comes once, however often it is sent; and what later records replaced."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from agentversions.models.database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, append_only


class CallLedger(models.Model):
    """Where the call of a sender's id stands, and the rank of the record that each of its fields came from.

    `erased_at`: its caller was erased, and nothing personal of it is ever stored again. `is_content_late`: a
    transcript or a recording came when its time was over, and was not stored.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    sender_id = models.CharField(max_length=200, primary_key=True)
    agent_id = models.IntegerField()
    started_at = models.DateTimeField()
    call_id = models.BigIntegerField()
    ranks = models.JSONField()
    erased_at = models.DateTimeField(null=True)
    is_content_late = models.BooleanField(default=False, db_default=False)

    objects: ClassVar[models.Manager["CallLedger"]] = models.Manager()

    def __str__(self) -> str:
        return self.sender_id


class CallCorrection(models.Model):
    """A value of a call that another one replaced. `after` is what counts."""

    database_privileges = READ_AND_APPEND

    sender_id = models.CharField(max_length=200)
    field = models.CharField(max_length=40)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["CallCorrection"]] = models.Manager()

    class Meta:
        # The page of a call.
        indexes = [models.Index(fields=["sender_id", "id"], name="call_correction_of_call")]
        triggers = append_only(table="CallCorrection")

    def __str__(self) -> str:
        return f"{self.sender_id}: {self.field}"
