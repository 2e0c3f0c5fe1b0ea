"""What an agent asks of a version before callers hear it, who passed over that, and rollbacks that want a look."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from agentversions.core.release import MOST_APPROVALS

from .agents import Agent
from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .deployments import Deployment
from .evaluations import EvaluationSuite
from .people import User
from .versions import AgentVersion


class ReleaseRules(models.Model):
    """How many approvals an agent's versions need, and by how much (a share) a required suite may fall behind live.

    An agent without a row asks nothing.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, related_name="release_rules", primary_key=True)
    approvals = models.PositiveSmallIntegerField(default=0)
    tolerance = models.FloatField(default=0)

    objects: ClassVar[models.Manager["ReleaseRules"]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="release_approvals_are_few", condition=Q(approvals__lte=MOST_APPROVALS)),
            models.CheckConstraint(
                name="release_tolerance_is_a_share", condition=Q(tolerance__gte=0) & Q(tolerance__lte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.approvals} approvals"


class RequiredSuite(models.Model):
    """A suite that must have passed before a version of the agent goes to callers."""

    database_privileges = ("SELECT", "INSERT", "DELETE")

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="required_suites", db_index=False)
    suite = models.ForeignKey(EvaluationSuite, on_delete=models.PROTECT, related_name="required_by")

    objects: ClassVar[models.Manager["RequiredSuite"]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "suite"], name="required_suite_once")]

    def __str__(self) -> str:
        return f"{self.agent} requires {self.suite}"


class ReleaseOverride(models.Model):
    """An approver, never the author, lets a version to callers although something is missing, and says why.

    It stands for what was missing then (`keys`, and `words` as they read) while `live` stays live (None: nothing).
    """

    database_privileges = READ_AND_APPEND

    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="overrides")
    live = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    keys = ArrayField(models.CharField(max_length=120))
    words = models.TextField()
    reason = models.TextField()
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["ReleaseOverride"]] = models.Manager()

    class Meta:
        constraints = [models.CheckConstraint(name="override_has_a_reason", condition=~Q(reason=""))]
        triggers = append_only(
            table="ReleaseOverride",
            also=[
                pgtrigger.Trigger(
                    name="by_another_than_the_author",
                    operation=pgtrigger.Insert,
                    when=pgtrigger.Before,
                    func="""
                    IF EXISTS (
                        SELECT 1 FROM agentversions_agentversion
                        WHERE id = NEW.version_id AND created_by_id = NEW.created_by_id
                    ) THEN
                        RAISE EXCEPTION 'Nobody overrides the gate for what they wrote themselves.'
                        USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                    """,
                )
            ],
        )

    def __str__(self) -> str:
        return f"{self.version}: {self.reason[:40]}"


class RollbackReview(models.Model):
    """A rollback that nobody had to approve; an approver, not who made it, looks at it afterwards and says so once."""

    database_privileges = READ_APPEND_AND_CHANGE

    deployment = models.OneToOneField(
        Deployment, on_delete=models.PROTECT, related_name="rollback_review", primary_key=True
    )
    note = models.TextField(blank=True, default="")
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    objects: ClassVar[models.Manager["RollbackReview"]] = models.Manager()

    class Meta:
        # What waits for a look: few rows of many.
        indexes = [models.Index(fields=["deployment"], name="rollback_waits", condition=Q(reviewed_at=None))]
        constraints = [
            models.CheckConstraint(
                name="rollback_is_reviewed_by_somebody",
                condition=Q(reviewed_at=None, reviewed_by=None)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
            )
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="reviewed_once_by_another",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                IF OLD.reviewed_at IS NOT NULL OR NEW.deployment_id <> OLD.deployment_id OR EXISTS (
                    SELECT 1 FROM agentversions_deployment
                    WHERE id = NEW.deployment_id AND created_by_id = NEW.reviewed_by_id
                ) THEN
                    RAISE EXCEPTION 'A rollback is reviewed once, by another than who made it.'
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Review of {self.deployment}"
