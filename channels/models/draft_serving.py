"""What callers hear of an agent's draft: every edit at once, or the state that was applied last."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from agentversions.models import Agent, Configuration, User
from agentversions.models.agents import PointerHistory, protect_history
from agentversions.models.database import READ_APPEND_AND_CHANGE


class DraftServing(models.Model):
    """An agent whose edits reach callers only after Apply. No row, or no `applied`: every edit reaches them at once."""

    database_privileges = READ_APPEND_AND_CHANGE

    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, related_name="draft_serving")
    applied = models.ForeignKey(Configuration, on_delete=models.PROTECT, related_name="+", null=True)
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["DraftServing"]] = models.Manager()
    history: ClassVar[Any] = HistoricalRecords(
        bases=[PointerHistory],
        history_change_reason_field=models.TextField(blank=True, default=""),
        excluded_fields=["changed_at", "changed_by"],
    )

    def __str__(self) -> str:
        return f"{self.agent_id}: {'after Apply' if self.applied_id else 'at once'}"


protect_history(DraftServing.history.model)
