"""Evaluation suites: cases are immutable values under their digest, and a suite's revisions say which ones it held."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agentversions.core.digest import digest_of
from agentversions.core.evaluations.cases import Case, load_case, write_case

from .agents import Agent
from .configurations import DigestOfText
from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .people import User


class CaseManager(models.Manager["EvaluationCase"]):
    """Stores cases."""

    def store(self, cases: list[Case]) -> "list[EvaluationCase]":
        """The rows of these cases, in their order; written in order of digest, so that two writers never deadlock."""
        bodies = [write_case(case) for case in cases]
        rows = [EvaluationCase(digest=digest_of(body), body=body) for body in bodies]
        unique = {row.digest: row for row in rows}
        self.bulk_create([unique[digest] for digest in sorted(unique)], ignore_conflicts=True)
        return rows


class EvaluationCase(models.Model):
    """A case as canonical JSON under its SHA-256. Never changed; PostgreSQL checks the digest and refuses UPDATE."""

    database_privileges = READ_AND_APPEND

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[CaseManager] = CaseManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="case_digest_is_sha256_of_body", condition=Q(digest=DigestOfText(models.F("body")))
            )
        ]
        triggers = append_only(table="EvaluationCase")

    def __str__(self) -> str:
        return self.digest[:8]

    def load(self) -> Case:
        """The case itself."""
        return load_case(self.body)


class SuiteQuerySet(models.QuerySet["EvaluationSuite"]):
    """Suites in the words of their pages."""

    def active(self) -> "SuiteQuerySet":
        """Those not archived."""
        return self.filter(archived_at__isnull=True)

    def for_agent(self, agent: Agent) -> "SuiteQuerySet":
        """Those of an agent, and those that all agents share."""
        return self.filter(Q(agent=agent) | Q(agent=None))

    def search(self, text: str) -> "SuiteQuerySet":
        """Those whose name, slug or description holds every word."""
        found = self
        for word in text.split():
            found = found.filter(Q(name__icontains=word) | Q(slug__icontains=word) | Q(description__icontains=word))
        return found


class EvaluationSuite(models.Model):
    """A suite of cases, of one agent or shared by all (`agent` empty); its content is its newest revision."""

    database_privileges = READ_APPEND_AND_CHANGE

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="suites")
    latest = models.ForeignKey("SuiteRevision", on_delete=models.PROTECT, null=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[Any] = SuiteQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class SuiteRevision(models.Model):
    """A suite's content at one moment: `digest` is the SHA-256 of its cases' digests, one per line, in order.

    Which cases they are say the suite's entries. Append-only."""

    database_privileges = READ_AND_APPEND

    suite = models.ForeignKey(EvaluationSuite, on_delete=models.PROTECT, related_name="revisions", db_index=False)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    cases = models.PositiveIntegerField()
    summary = models.CharField(max_length=300)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[models.Manager["SuiteRevision"]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["suite", "number"], name="suite_revision_once")]
        triggers = append_only(table="SuiteRevision")

    def __str__(self) -> str:
        return f"{self.suite.name} revision {self.number}"


class EntryQuerySet(models.QuerySet["SuiteEntry"]):
    """The entries of a suite at a revision."""

    def at(self, revision: SuiteRevision) -> "EntryQuerySet":
        """What the suite held at a revision, in order."""
        return self.filter(
            Q(until=None) | Q(until__gt=revision.number), suite=revision.suite_id, since__lte=revision.number
        ).order_by("position")

    def current(self, suite: EvaluationSuite) -> "EntryQuerySet":
        """What the suite holds now, in order."""
        return self.filter(suite=suite, until=None).order_by("position")


class SuiteEntry(models.Model):
    """A case in a suite, from revision `since` until before revision `until` (empty: still there)."""

    database_privileges = READ_APPEND_AND_CHANGE

    suite = models.ForeignKey(EvaluationSuite, on_delete=models.PROTECT, related_name="entries", db_index=False)
    case = models.ForeignKey(EvaluationCase, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField()
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)

    objects: ClassVar[Any] = EntryQuerySet.as_manager()

    class Meta:
        # A run and a page read a revision by position.
        indexes = [models.Index(fields=["suite", "position"], name="suite_entry_by_position")]
        constraints = [
            models.UniqueConstraint(fields=["suite", "name"], condition=Q(until=None), name="case_name_once_in_suite"),
            models.CheckConstraint(name="suite_entry_ends_later", condition=Q(until=None) | Q(until__gt=F("since"))),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="entry_only_ends",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                IF OLD.until IS NOT NULL OR (NEW.id, NEW.suite_id, NEW.case_id, NEW.name, NEW.position, NEW.since)
                    IS DISTINCT FROM (OLD.id, OLD.suite_id, OLD.case_id, OLD.name, OLD.position, OLD.since) THEN
                    RAISE EXCEPTION 'An entry of a suite can only end, once.'
                    USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="entry_is_kept",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'An entry of a suite is kept.' USING ERRCODE = 'integrity_constraint_violation';",
            ),
        ]

    def __str__(self) -> str:
        return self.name
