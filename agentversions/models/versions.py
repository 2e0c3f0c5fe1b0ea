"""Published versions: numbered, named, immutable pointers to a configuration."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models

from .agents import Agent
from .configurations import Configuration
from .database import READ_AND_APPEND, ClockTimestamp, append_only
from .people import User


class VersionQuerySet(models.QuerySet["AgentVersion"]):
    """Versions in the words of their pages."""

    def newest_first(self) -> "VersionQuerySet":
        """In the order of the panel; served by the unique index on (agent, number)."""
        return self.order_by("-number")

    def search(self, text: str) -> "VersionQuerySet":
        """Those whose name or description holds every word."""
        found = self
        for word in text.split():
            found = found.filter(models.Q(name__icontains=word) | models.Q(description__icontains=word))
        return found

    def without_body(self) -> "VersionQuerySet":
        """For lists: the author in the same query, the configuration left where it is."""
        return self.select_related("created_by")


class AgentVersion(models.Model):
    """Version `number` of an agent (1, 2, 3 … without gaps). Append-only by privilege and by trigger."""

    database_privileges = READ_AND_APPEND

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    configuration = models.ForeignKey(Configuration, on_delete=models.PROTECT, related_name="versions")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="versions")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[Any] = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["agent", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "number"], name="version_number_is_unique_per_agent"),
            models.CheckConstraint(name="version_has_a_name", condition=~models.Q(name="")),
        ]
        triggers = append_only(
            table="AgentVersion",
            also=[
                pgtrigger.Trigger(
                    name="number_follows_the_last",
                    operation=pgtrigger.Insert,
                    when=pgtrigger.Before,
                    declare=[("last", "integer")],
                    func="""
                    SELECT coalesce(max(number), 0) INTO last
                    FROM agentversions_agentversion WHERE agent_id = NEW.agent_id;
                    IF NEW.number <> last + 1 THEN
                        RAISE EXCEPTION 'Version % does not follow version %.', NEW.number, last
                        USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                    """,
                )
            ],
        )

    def __str__(self) -> str:
        return f"V{self.number}"

    @property
    def previous_number(self) -> int | None:
        """The version before, None for the first; numbers have no gaps."""
        return self.number - 1 or None
