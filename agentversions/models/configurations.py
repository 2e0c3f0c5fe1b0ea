"""The value behind every pointer: an agent's complete configuration, found by its digest."""

from typing import ClassVar

from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.reading import read_body, write_body

from .database import READ_AND_APPEND, append_only

STATEMENT_SIZE = 250000
"""Characters of bodies in one statement: a connection sends a statement of megabytes several times as slowly."""


class DigestOfText(Func):
    """PostgreSQL's own hex SHA-256 of a text's UTF-8 bytes."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    output_field = models.CharField()


class ConfigurationManager(models.Manager["Configuration"]):
    """Stores configurations."""

    def store(self, configuration: AgentConfiguration) -> "Configuration":
        """The row of this configuration: the one that is there, or a new one. Two writers at once get the same row."""
        (row,) = self.store_bodies([write_body(configuration)])
        return row

    def store_bodies(self, bodies: list[str]) -> "list[Configuration]":
        """The rows of these canonical bodies; written in order of digest, so that two writers never deadlock."""
        rows = [Configuration(digest=digest_of(body), body=body) for body in bodies]
        unique = {row.digest: row for row in rows}
        portion: list[Configuration] = []
        size = 0
        for digest in sorted(unique):
            portion.append(unique[digest])
            size += len(unique[digest].body)
            if size >= STATEMENT_SIZE:
                self.bulk_create(portion, ignore_conflicts=True)
                portion, size = [], 0
        self.bulk_create(portion, ignore_conflicts=True)
        return rows


class Configuration(models.Model):
    """Canonical JSON (RFC 8785) under its SHA-256. Never changed; PostgreSQL checks the digest and refuses UPDATE."""

    database_privileges = READ_AND_APPEND

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[ConfigurationManager] = ConfigurationManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="configuration_digest_is_sha256_of_body",
                condition=Q(digest=DigestOfText(models.F("body"))),
            ),
        ]
        triggers = append_only(table="Configuration")

    def __str__(self) -> str:
        return self.digest[:8]

    def load(self) -> AgentConfiguration:
        """The configuration itself, defaults filled in for fields that the schema gained since it was stored."""
        return read_body(self.body)
