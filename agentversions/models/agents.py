"""Agents: each has one draft, a pointer to a configuration; the pointer's history says who moved it, when and why."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from .configurations import Configuration
from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, append_only
from .people import User

STAMP_FROM_DATABASE = pgtrigger.Trigger(
    name="history_date_is_the_databases",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    func="NEW.history_date = clock_timestamp(); RETURN NEW;",
)
"""The application's clock may differ between machines; the row lock makes the database's clock rise per agent."""


class PointerHistory(models.Model):
    """Base of the history of a pointer: the application's role may only read and append."""

    database_privileges = READ_AND_APPEND

    class Meta:
        abstract = True


def protect_history(model: type[models.Model]) -> None:
    """Register the triggers of a pointer's history model, which django-simple-history builds itself."""
    pgtrigger.register(*append_only(table=model.__name__, also=[STAMP_FROM_DATABASE]))(model)


class AgentQuerySet(models.QuerySet["Agent"]):
    """Agents in the words of their pages."""

    def active(self) -> "AgentQuerySet":
        """Those not archived."""
        return self.filter(archived_at__isnull=True)

    def search(self, text: str) -> "AgentQuerySet":
        """Those whose name, slug or folder holds every word."""
        found = self
        for word in text.split():
            found = found.filter(
                models.Q(name__icontains=word) | models.Q(slug__icontains=word) | models.Q(folder__icontains=word)
            )
        return found

    def with_draft(self) -> "AgentQuerySet":
        """With the draft's configuration and who moved it, in the same query."""
        return self.select_related("draft", "draft_changed_by")


class Agent(models.Model):
    """An agent. Its slug never changes; its name is part of the configuration and kept here for lists and search."""

    database_privileges = READ_APPEND_AND_CHANGE

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    folder = models.CharField(max_length=200, blank=True, default="")
    draft = models.ForeignKey(Configuration, on_delete=models.PROTECT, related_name="+")
    draft_changed_at = models.DateTimeField(db_default=Now())
    draft_changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = AgentQuerySet.as_manager()
    history: ClassVar[Any] = HistoricalRecords(
        bases=[PointerHistory],
        history_change_reason_field=models.TextField(blank=True, default=""),
        excluded_fields=["draft_changed_at", "draft_changed_by", "created_at", "created_by"],
    )

    class Meta:
        ordering = ["folder", "name"]
        triggers = [
            pgtrigger.Trigger(
                name="slug_never_changes",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__slug__df=pgtrigger.F("new__slug")),
                func="RAISE EXCEPTION 'A slug never changes.' USING ERRCODE = 'integrity_constraint_violation';",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_archived(self) -> bool:
        """Whether the agent was put away; its versions stay readable for ever."""
        return self.archived_at is not None


protect_history(Agent.history.model)
