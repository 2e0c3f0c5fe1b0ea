"""Feature flags: a key that never changes hands, and revisions of which the newest counts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from agentversions.models import Agent, User
from agentversions.models.database import READ_AND_APPEND, ClockTimestamp, append_only
from channels.core.flags import Flag as FlagValue
from channels.core.flags import read_flag


class Flag(models.Model):
    """A flag's key and the agent that it is for (None: all agents). What it does stands in its newest revision."""

    database_privileges = READ_AND_APPEND

    key = models.CharField(max_length=100, unique=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="flags", null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["Flag"]] = models.Manager()

    class Meta:
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(name="flag_key_is_plain", condition=Q(key__regex=r"^[a-z0-9._-]{1,100}$"))
        ]
        triggers = append_only(table="Flag")

    def __str__(self) -> str:
        return self.key


class FlagRevision(models.Model):
    """A flag as it was saved: its canonical JSON, in which callers stand as keyed hashes. An archived flag acts on
    nothing and is not evaluated; saving it again brings it back."""

    database_privileges = READ_AND_APPEND

    flag = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="revisions", db_index=False)
    number = models.PositiveIntegerField()
    body = models.TextField()
    description = models.CharField(max_length=500, blank=True, default="")
    is_archived = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["FlagRevision"]] = models.Manager()

    class Meta:
        ordering = ["flag", "number"]
        constraints = [
            # Also finds the newest of a flag, and one by the number that a resolution names.
            models.UniqueConstraint(fields=["flag", "number"], name="flag_revision_number_is_unique"),
        ]
        triggers = append_only(table="FlagRevision")

    def __str__(self) -> str:
        return f"{self.flag_id} revision {self.number}"

    @property
    def value(self) -> FlagValue:
        """The flag itself."""
        return read_flag(self.body)


class FlagCaller(models.Model):
    """A caller that a flag's rules list by keyed hash, to be shown again to those who may see callers. Erasing a caller
    deletes the row; the hash stays and says nothing without the key."""

    caller_hash = models.BinaryField(primary_key=True, max_length=16)
    caller_secret = models.BinaryField()
    caller_shown = models.CharField(max_length=20)

    objects: ClassVar[models.Manager["FlagCaller"]] = models.Manager()

    def __str__(self) -> str:
        return self.caller_shown
