"""Which version of an agent is live: append-only rows, the newest counts. Rolling back adds a row."""

from typing import Any, ClassVar

from django.db import models

from .agents import Agent
from .database import READ_AND_APPEND, ClockTimestamp, append_only
from .people import User
from .versions import AgentVersion


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    """Deployments in the words of their pages."""

    def newest_first(self) -> "DeploymentQuerySet":
        """Served by the index on (agent, id): the first one is what is live."""
        return self.order_by("-id")


class Deployment(models.Model):
    """From this moment on this version is the agent's live version."""

    database_privileges = READ_AND_APPEND

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="deployments", db_index=False)
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="deployments")
    is_rollback = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    override = models.ForeignKey(
        "ReleaseOverride", on_delete=models.PROTECT, related_name="+", null=True, db_index=False
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[Any] = DeploymentQuerySet.as_manager()

    class Meta:
        # Finds the live version: the newest row of an agent.
        indexes = [models.Index(fields=["agent", "-id"], name="deployment_newest_of_agent")]
        triggers = append_only(table="Deployment")

    def __str__(self) -> str:
        return f"{self.version} live since {self.created_at:%Y-%m-%d %H:%M}"
