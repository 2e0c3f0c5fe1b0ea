"""Requests for approval: one open per version, decisions of others than its author, comments; each is kept for ever."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from agentversions.core.release import RequestState, Verdict

from .agents import Agent
from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .deployments import Deployment
from .people import User
from .versions import AgentVersion

STATES = [(each.value, each.label) for each in RequestState]
VERDICTS = [(each.value, each.value) for each in Verdict]


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    """Requests in the words of their pages."""

    def open(self) -> "ApprovalRequestQuerySet":
        """Those that nobody has ended, the oldest first."""
        return self.filter(state=RequestState.OPEN.value).order_by("id")

    def over(self) -> "ApprovalRequestQuerySet":
        """The others, the last ended first."""
        return self.exclude(state=RequestState.OPEN.value).order_by("-ended_at", "-id")

    def with_names(self) -> "ApprovalRequestQuerySet":
        """With the agent and its rules, version and people in the same query."""
        return self.select_related(
            "agent__release_rules", "version__created_by", "version__agent", "created_by", "ended_by", "deployment"
        )


class ApprovalRequest(models.Model):
    """Somebody asks that a version may go to callers. `digest` is the version's, so it is for exactly this content.

    Only how it ends is ever written: `state` with `ended_at`, `ended_by`, and then `outcome` and `deployment`.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="approval_requests")
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="approval_requests")
    digest = models.CharField(max_length=64)
    reason = models.TextField(blank=True, default="")
    goes_live = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=STATES, default=RequestState.OPEN.value)
    outcome = models.TextField(blank=True, default="")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    objects: ClassVar[Any] = ApprovalRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        # The queue and its badge: what is open, and what ended last.
        indexes = [models.Index(fields=["state", "-ended_at"], name="approval_request_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["version"], name="approval_one_open_per_version", condition=Q(state=RequestState.OPEN.value)
            ),
            models.CheckConstraint(
                name="approval_request_ends_by_somebody",
                condition=Q(state=RequestState.OPEN.value, ended_at=None, ended_by=None)
                | ~Q(state=RequestState.OPEN.value) & Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="is_for_its_version",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                IF NOT EXISTS (
                    SELECT 1 FROM agentversions_agentversion
                    WHERE id = NEW.version_id AND agent_id = NEW.agent_id AND configuration_id = NEW.digest
                ) OR NEW.state <> 'open' THEN
                    RAISE EXCEPTION 'A request begins open, for a version of its agent by its digest.'
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="asked_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=["state", "outcome", "deployment", "ended_at", "ended_by"]),
            ),
            pgtrigger.Trigger(
                name="ends_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                IF OLD.state <> 'open' AND (
                    (NEW.state, NEW.ended_at, NEW.ended_by_id) IS DISTINCT FROM
                    (OLD.state, OLD.ended_at, OLD.ended_by_id)
                    OR OLD.deployment_id IS NOT NULL AND NEW.deployment_id IS DISTINCT FROM OLD.deployment_id
                ) THEN
                    RAISE EXCEPTION 'A request for approval ends once.'
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                IF NEW.state = 'approved' AND NOT EXISTS (
                    SELECT 1 FROM agentversions_approvaldecision WHERE request_id = NEW.id AND verdict = 'approve'
                ) THEN
                    RAISE EXCEPTION 'Nobody approved request %.', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Approval of {self.version}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.state == RequestState.OPEN


class ApprovalDecision(models.Model):
    """What one approver said of a request, having looked at this digest beside what was live then (None: nothing)."""

    database_privileges = READ_AND_APPEND

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    verdict = models.CharField(max_length=10, choices=VERDICTS)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    live = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    note = models.TextField(blank=True, default="")
    at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["ApprovalDecision"]] = models.Manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "person"], name="approval_decision_once")]
        triggers = append_only(
            table="ApprovalDecision",
            also=[
                pgtrigger.Trigger(
                    name="by_another_on_this_digest",
                    operation=pgtrigger.Insert,
                    when=pgtrigger.Before,
                    func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM agentversions_approvalrequest AS request
                        JOIN agentversions_agentversion AS version ON version.id = request.version_id
                        WHERE request.id = NEW.request_id AND request.state = 'open' AND request.digest = NEW.digest
                            AND version.created_by_id <> NEW.person_id
                    ) THEN
                        RAISE EXCEPTION 'Only another than the author decides, on exactly this digest, until it ends.'
                        USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                    """,
                )
            ],
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.verdict}"


class ApprovalComment(models.Model):
    """A remark on a request: on all of it, on a field (its path), or on a line (from 1) of a field's new text."""

    database_privileges = READ_AND_APPEND

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="comments")
    path = models.CharField(max_length=500, blank=True, default="")
    line = models.PositiveIntegerField(null=True)
    text = models.TextField()
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["ApprovalComment"]] = models.Manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="approval_comment_says_something", condition=~Q(text="")),
            models.CheckConstraint(name="approval_comment_line_of_field", condition=Q(line=None) | ~Q(path="")),
        ]
        triggers = append_only(table="ApprovalComment")

    def __str__(self) -> str:
        return f"{self.created_by}: {self.text[:40]}"
