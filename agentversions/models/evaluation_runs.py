"""Runs of evaluation suites: exactly what was run, the result of each case, people's marks, answers that were paid."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .agents import Agent
from .configurations import Configuration
from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .evaluations import EvaluationCase, SuiteRevision
from .people import User
from .versions import AgentVersion


class RunState(models.TextChoices):
    """Where a run stands; it moves from waiting to running to one of the others, and never back."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"
    STOPPED = "stopped", "Stopped"


ENDED = (RunState.DONE, RunState.CANCELLED, RunState.STOPPED)


class RunQuerySet(models.QuerySet["EvaluationRun"]):
    """Runs in the words of their pages."""

    def newest_first(self) -> "RunQuerySet":
        """The last started first."""
        return self.order_by("-id")

    def with_names(self) -> "RunQuerySet":
        """With everything that a list shows of them."""
        return self.select_related("revision__suite", "agent", "version", "created_by")

    def unfinished(self) -> "RunQuerySet":
        """Those that somebody has to work on."""
        return self.filter(state__in=(RunState.WAITING, RunState.RUNNING))


class EvaluationRun(models.Model):
    """One revision of a suite against one configuration, in an environment, with limits.

    `settings`: what the answers depend on beside the configuration (provider, model, parameters, the judge), and the
    `commit` that held it where it was no version yet. What was run never changes (a trigger refuses it); where the run
    stands does. A runner holds the run by `runner` until `held_until`; one that died loses it. `stopped_by` says in
    words why a run ended early.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    revision = models.ForeignKey(SuiteRevision, on_delete=models.PROTECT, related_name="runs")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="evaluation_runs")
    configuration = models.ForeignKey(Configuration, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    environment = models.CharField(max_length=20)
    settings = models.JSONField()
    is_fresh = models.BooleanField(default=False)
    concurrency = models.PositiveSmallIntegerField(default=5)
    max_calls = models.PositiveIntegerField(null=True)
    max_cost = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.WAITING)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    stopped_by = models.TextField(blank=True, default="")
    runner = models.CharField(max_length=40, blank=True, default="")
    held_until = models.DateTimeField(null=True)

    objects: ClassVar[Any] = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            # What the gate asks: which runs there were of exactly this configuration.
            models.Index(fields=["configuration", "revision", "-id"], name="run_of_configuration"),
            # What has to be worked on, every minute.
            models.Index(
                fields=["id"], name="run_unfinished", condition=Q(state__in=(RunState.WAITING, RunState.RUNNING))
            ),
        ]
        constraints = [
            models.CheckConstraint(name="run_has_some_concurrency", condition=Q(concurrency__gte=1)),
            models.CheckConstraint(
                name="run_ends_with_its_end",
                condition=Q(state__in=ENDED, ended_at__isnull=False)
                | Q(state__in=(RunState.WAITING, RunState.RUNNING), ended_at=None),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="what_was_run_stays",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                IF (NEW.id, NEW.revision_id, NEW.agent_id, NEW.configuration_id, NEW.version_id, NEW.environment,
                    NEW.settings, NEW.is_fresh, NEW.created_at, NEW.created_by_id)
                    IS DISTINCT FROM (OLD.id, OLD.revision_id, OLD.agent_id, OLD.configuration_id, OLD.version_id,
                    OLD.environment, OLD.settings, OLD.is_fresh, OLD.created_at, OLD.created_by_id)
                    OR OLD.ended_at IS NOT NULL THEN
                    RAISE EXCEPTION 'What was run stays, and a run that ended has ended.'
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="run_is_kept",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'A run is kept.' USING ERRCODE = 'integrity_constraint_violation';",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED

    @property
    def title(self) -> str:
        """What was run: `V3`, `Draft 1a2b3c4d`, or `Commit 4f2a90c1d3` of a pull request."""
        if self.version:
            return f"V{self.version.number}"
        commit = self.settings.get("commit")
        return f"Commit {commit[:10]}" if commit else f"Draft {self.configuration_id[:8]}"


class Outcome(models.TextChoices):
    """What became of a case: `invalid` where the judge gave no verdict, `error` where the agent gave no answer."""

    PASS = "pass", "Passed"
    FAIL = "fail", "Failed"
    INVALID = "invalid", "No verdict"
    ERROR = "error", "No answer"


class CaseResult(models.Model):
    """What became of one case of a run. Append-only; PostgreSQL lets each case of a run end once.

    `transcript`: the messages of the conversation as the model saw and answered them. `checks`: one verdict for each
    expectation, [{"kind", "words", "outcome", "reason"}]. `latency_ms` is the slowest answer, `cost` in the prices'
    currency, empty where a price is unknown; `paid_calls` of `calls` were asked, the others came from the cache.
    """

    database_privileges = READ_AND_APPEND

    run = models.ForeignKey(EvaluationRun, on_delete=models.PROTECT, related_name="results", db_index=False)
    case = models.ForeignKey(EvaluationCase, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField()
    tags = models.JSONField(default=list)
    weight = models.FloatField(default=1.0)
    must_pass = models.BooleanField(default=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    judged = models.CharField(max_length=10, blank=True, default="")
    transcript = models.JSONField(default=list)
    checks = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")
    calls = models.PositiveIntegerField(default=0)
    paid_calls = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["CaseResult"]] = models.Manager()

    class Meta:
        ordering = ["position"]
        # The page of a run, by position and by outcome.
        indexes = [models.Index(fields=["run", "outcome", "position"], name="result_by_outcome")]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="case_of_run_ends_once")]
        triggers = append_only(table="CaseResult")

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome}"


class HumanMark(models.Model):
    """What a person says of a result; their newest mark counts. Append-only."""

    database_privileges = READ_AND_APPEND

    result = models.ForeignKey(CaseResult, on_delete=models.PROTECT, related_name="marks")
    is_pass = models.BooleanField()
    note = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["HumanMark"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(table="HumanMark")

    def __str__(self) -> str:
        return "pass" if self.is_pass else "fail"


class PaidAnswer(models.Model):
    """An answer of a model, kept under what was asked: `key` is the SHA-256 of the configuration's digest, the case,
    the model, the parameters and the messages. Asked again, it costs nothing. Append-only.

    `run` paid for it: what a run has spent is the sum of its answers, also after a crash.
    """

    database_privileges = READ_AND_APPEND

    key = models.CharField(max_length=64, primary_key=True)
    run = models.ForeignKey(EvaluationRun, on_delete=models.PROTECT, related_name="paid")
    answer = models.JSONField()
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    latency_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager["PaidAnswer"]] = models.Manager()

    class Meta:
        triggers = append_only(table="PaidAnswer")

    def __str__(self) -> str:
        return self.key[:8]
