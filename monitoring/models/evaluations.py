"""What the judge of a rollout said, each time that it had something new to say."""

from typing import ClassVar

from django.db import models

from agentversions.models.database import READ_AND_APPEND, ClockTimestamp, append_only
from channels.models import Rollout, RolloutMove
from monitoring.core.canary_decision import Action

UNDECIDED = "undecided"
"""Nothing could be judged: the figures could not be read. `words` say why, and `body` is empty."""


class CanaryEvaluation(models.Model):
    """One evaluation of a rollout: the action that it asks for, in words, with statistics and inputs (`body`, the
    verdict's canonical JSON). `refusal` says why the action was not taken.

    `move` is the newest move that it looked at. `routed_to` and `calls_to` are the keys of the newest routed call and
    the newest call that it saw; of calls routed before `missing_before` a missing end counts.
    """

    database_privileges = READ_AND_APPEND

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="evaluations", db_index=False)
    at = models.DateTimeField(db_default=ClockTimestamp())
    move = models.ForeignKey(RolloutMove, on_delete=models.PROTECT, related_name="+", db_index=False)
    step = models.PositiveSmallIntegerField()
    action = models.CharField(
        max_length=10, choices=[(each, each.capitalize()) for each in [*map(str, Action), UNDECIDED]]
    )
    words = models.TextField()
    refusal = models.TextField(blank=True, default="")
    body = models.TextField(blank=True, default="")
    routed_to = models.BigIntegerField(default=0)
    calls_to = models.BigIntegerField(default=0)
    missing_before = models.DateTimeField()

    objects: ClassVar[models.Manager["CanaryEvaluation"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        # The page of a rollout, newest first, and the last one when the next is made.
        indexes = [models.Index(fields=["rollout", "-id"], name="canary_evaluation_newest")]
        triggers = append_only(table="CanaryEvaluation")

    def __str__(self) -> str:
        return self.words
