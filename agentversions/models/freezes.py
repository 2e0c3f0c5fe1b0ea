"""Freeze windows: times in which only an admin, with a reason, changes what answers callers."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from .database import READ_APPEND_AND_CHANGE
from .people import User


class FreezeWindow(models.Model):
    """From `starts_at` to `ends_at`, unless somebody lifted it before (`lifted_at`)."""

    database_privileges = READ_APPEND_AND_CHANGE

    occasion = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=64)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["FreezeWindow"]] = models.Manager()

    class Meta:
        ordering = ["-starts_at", "-id"]
        # Which window is open at a moment: asked at every change of what answers.
        indexes = [models.Index(fields=["ends_at"], name="freeze_by_end", condition=Q(lifted_at=None))]
        constraints = [
            models.CheckConstraint(name="freeze_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="freeze_is_lifted_by_somebody",
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.occasion
