"""The audit trail: one entry per change of anything, written in the change's own transaction."""

from typing import ClassVar

from django.db import models

from .database import READ_AND_APPEND, ClockTimestamp, append_only
from .people import User


class AuditEntry(models.Model):
    """Who did what to which thing, when, why, and what stood before and after (JSON, small: pointers, not bodies)."""

    database_privileges = READ_AND_APPEND

    at = models.DateTimeField(db_default=ClockTimestamp())
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    objects: ClassVar[models.Manager["AuditEntry"]] = models.Manager()

    class Meta:
        # The trail of one thing, newest first; also finds the last autosave of a sitting.
        indexes = [models.Index(fields=["subject_kind", "subject", "-id"], name="audit_trail_of_subject")]
        triggers = append_only(table="AuditEntry")

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
