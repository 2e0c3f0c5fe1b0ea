"""The audit trail: one entry per change of anything, written in the change's own transaction, and the chain over it."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .people import User


class AuditEntry(models.Model):
    """Who did what to which thing, when, from where, why, and what stood before and after (JSON, small: pointers, not
    bodies). `origin` and `origin_name` are a word of `config.origin` and what it names, `actor_name` the user name that
    the actor had: people are renamed, an entry is not. Whatever is shown of an entry is in its hash."""

    database_privileges = READ_AND_APPEND

    at = models.DateTimeField(db_default=ClockTimestamp())
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    origin = models.CharField(max_length=20, blank=True, default="", db_default="")
    origin_name = models.CharField(max_length=200, blank=True, default="", db_default="")
    client_address = models.GenericIPAddressField(null=True, blank=True)
    actor_name = models.CharField(max_length=150, blank=True, default="", db_default="")

    objects: ClassVar[models.Manager["AuditEntry"]] = models.Manager()

    class Meta:
        indexes = [
            # The trail of one thing, newest first; also finds the last autosave of a sitting.
            models.Index(fields=["subject_kind", "subject", "-id"], name="audit_trail_of_subject"),
            # The audit page, newest first: everything, of one person (and of a person's key), of one action.
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_of_person"),
            models.Index(fields=["action", "-at", "-id"], name="audit_of_action"),
            # What somebody did of one kind, among all that they did of others; what came from somewhere.
            models.Index(fields=["actor", "action", "-at", "-id"], name="audit_of_person_and_action"),
            models.Index(fields=["actor", "subject_kind", "-at", "-id"], name="audit_of_person_and_kind"),
            models.Index(fields=["origin", "-at", "-id"], name="audit_of_origin"),
            models.Index(
                fields=["client_address", "-at", "-id"],
                name="audit_of_address",
                condition=Q(client_address__isnull=False),
            ),
            # Those that say why, to be searched for words: most say nothing.
            models.Index(fields=["-at", "-id"], name="audit_with_reason", condition=~Q(reason="")),
        ]
        triggers = append_only(table="AuditEntry")

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class AuditSeal(models.Model):
    """A link of the chain: the `position`-th entry, its hash (hex SHA-256) and the hash of the seal before."""

    database_privileges = READ_AND_APPEND

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    hash = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["AuditSeal"]] = models.Manager()

    class Meta:
        constraints = [models.CheckConstraint(name="audit_seals_count_from_one", condition=Q(position__gte=1))]
        triggers = append_only(
            table="AuditSeal",
            also=[
                pgtrigger.Trigger(
                    name="follows_the_last",
                    level=pgtrigger.Statement,
                    operation=pgtrigger.Insert,
                    when=pgtrigger.After,
                    referencing=pgtrigger.Referencing(new="appended"),
                    declare=[("seal", "record")],
                    # Once for all rows of a statement, which may be thousands: each against the one before it, and
                    # those that have none before them among these rows against the table.
                    func="""
                    FOR seal IN
                        SELECT * FROM (
                            SELECT position, entry_id, previous,
                                   lag(position) OVER by_position AS position_before,
                                   lag(entry_id) OVER by_position AS entry_before,
                                   lag(hash) OVER by_position AS hash_before
                              FROM appended WINDOW by_position AS (ORDER BY position)
                        ) AS beside
                        WHERE position > 1 AND (position_before = position - 1 AND hash_before = previous
                                                AND entry_before < entry_id) IS NOT TRUE
                    LOOP
                        IF NOT EXISTS (
                            SELECT 1 FROM agentversions_auditseal
                            WHERE position = seal.position - 1 AND hash = seal.previous AND entry_id < seal.entry_id
                        ) THEN
                            RAISE EXCEPTION 'Seal % does not follow the one before.', seal.position
                            USING ERRCODE = 'integrity_constraint_violation';
                        END IF;
                    END LOOP;
                    RETURN NULL;
                    """,
                )
            ],
        )

    def __str__(self) -> str:
        return f"{self.position} {self.hash[:8]}"


class AuditHorizon(models.Model):
    """One row: when the last number drawn was `drawn`, these transactions were writing (`core.audit_horizon`)."""

    database_privileges = READ_APPEND_AND_CHANGE

    only = models.BooleanField(primary_key=True, default=True)
    drawn = models.BigIntegerField()
    writers = ArrayField(models.CharField(max_length=40))

    objects: ClassVar[models.Manager["AuditHorizon"]] = models.Manager()

    class Meta:
        constraints = [models.CheckConstraint(name="audit_has_one_horizon", condition=Q(only=True))]

    def __str__(self) -> str:
        return f"{self.drawn} after {len(self.writers)} writers"


class AuditCheck(models.Model):
    """What one run of `manage.py verify_audit` found: the seal it ended with, and how many problems."""

    database_privileges = READ_AND_APPEND

    at = models.DateTimeField(db_default=ClockTimestamp())
    position = models.BigIntegerField()
    head = models.CharField(max_length=64)
    problems = models.JSONField(default=list)

    objects: ClassVar[models.Manager["AuditCheck"]] = models.Manager()

    class Meta:
        triggers = append_only(table="AuditCheck")

    def __str__(self) -> str:
        return f"{self.position} {len(self.problems)}"
