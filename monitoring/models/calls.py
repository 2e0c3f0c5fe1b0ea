"""Calls, one row each, in a partition per month; their transcripts beside them, in partitions of their own.

The tables are made by the migration: Django cannot partition. Every key begins with the agent, and no foreign key
leaves them, so that they can be spread over machines by agent. Agent 0 stands for calls that nobody could attribute.
"""

from typing import Any, ClassVar

from django.db import models

from agentversions.models.database import READ_APPEND_AND_CHANGE
from monitoring.core.figures import is_automated, version_words


class Attribution(models.TextChoices):
    """How it is known which configuration handled a call."""

    TOKEN = "token", "By its resolution"
    STATED = "stated", "Stated by the sender"
    INFERRED = "inferred", "Inferred from the number's route"
    FORGED = "forged", "Its resolution was not signed here, or has expired"
    MISTAKEN = "mistaken", "It names an agent or a version that is not here"
    NONE = "none", "Unknown"


class Call(models.Model):
    """What is known of a call. `version` is 0 for the draft, None where nobody knows; times are UTC."""

    database_privileges = READ_APPEND_AND_CHANGE

    pk = models.CompositePrimaryKey("agent_id", "started_at", "id")
    agent_id = models.IntegerField()
    started_at = models.DateTimeField()
    id = models.BigIntegerField()
    sender_id = models.TextField()
    source = models.CharField(max_length=20)
    attribution = models.CharField(max_length=10, choices=Attribution.choices)
    version = models.IntegerField(null=True)
    digest = models.CharField(max_length=64, null=True)  # noqa: DJ001 the draft of an unknown agent has none
    variant = models.CharField(max_length=60, default="")
    decision = models.JSONField(null=True)
    channel = models.CharField(max_length=64, default="")
    direction = models.CharField(max_length=10, default="")
    caller_hash = models.BinaryField(null=True)
    caller_secret = models.BinaryField(null=True)
    caller_shown = models.CharField(max_length=20, default="")
    is_start_known = models.BooleanField(default=True)
    is_over = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True)
    duration_ms = models.IntegerField(null=True)
    ended_reason = models.CharField(max_length=200, default="")
    evaluation = models.CharField(max_length=10, null=True)  # noqa: DJ001 nobody judged is not a judgement
    engaged = models.BooleanField(null=True)
    transferred = models.BooleanField(null=True)
    is_error = models.BooleanField(null=True)
    error = models.CharField(max_length=200, default="")
    sentiment = models.SmallIntegerField(null=True)
    sentiment_score = models.FloatField(null=True)
    analysis = models.JSONField(null=True)
    summary = models.TextField(default="")
    latency_ms = models.FloatField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    currency = models.CharField(max_length=3, default="")
    is_test = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        managed = False
        db_table = "monitoring_call"

    def __str__(self) -> str:
        return self.sender_id

    @property
    def version_words(self) -> str:
        """`V7`, `Draft`, or nothing where it is not known."""
        return version_words(self.version)

    @property
    def is_automated(self) -> bool:
        """Whether the agent did it alone, as the figures count it."""
        return is_automated(self)


class CallContent(models.Model):
    """What was said, and where it was recorded: kept for a policy's time, while the call's row stays for ever."""

    database_privileges = ("SELECT", "INSERT", "UPDATE", "DELETE")

    pk = models.CompositePrimaryKey("agent_id", "started_at", "id")
    agent_id = models.IntegerField()
    started_at = models.DateTimeField()
    id = models.BigIntegerField()
    transcript = models.JSONField(null=True)
    recording = models.TextField(default="")

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        managed = False
        db_table = "monitoring_callcontent"

    def __str__(self) -> str:
        return str(self.id)
