"""Who has an agent's editor open right now."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .agents import Agent
from .people import User


class EditorPresence(models.Model):
    """A person was seen in an agent's editor at this time; older than half a minute means gone."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["EditorPresence"]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "user"], name="presence_is_one_per_person_and_agent")]

    def __str__(self) -> str:
        return f"{self.user} at {self.agent}"
