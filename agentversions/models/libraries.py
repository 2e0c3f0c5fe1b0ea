"""The libraries of tools and knowledge bases. Picking copies; a library never reaches into a draft."""

from typing import Any, ClassVar

from django.db import models

from .database import READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .people import User


class LibraryQuerySet(models.QuerySet["LibraryEntry"]):
    """Library entries in the words of their pages."""

    def tools(self) -> "LibraryQuerySet":
        """The entries of the tool library."""
        return self.filter(kind=LibraryEntry.Kind.TOOL)

    def knowledge_bases(self) -> "LibraryQuerySet":
        """The entries of the knowledge-base library."""
        return self.filter(kind=LibraryEntry.Kind.KNOWLEDGE_BASE)

    def active(self) -> "LibraryQuerySet":
        """Those not archived."""
        return self.filter(archived_at__isnull=True)

    def search(self, text: str) -> "LibraryQuerySet":
        """Those whose name, slug or description holds every word."""
        found = self
        for word in text.split():
            found = found.filter(
                models.Q(name__icontains=word) | models.Q(slug__icontains=word) | models.Q(description__icontains=word)
            )
        return found


class LibraryEntry(models.Model):
    """One tool or knowledge base of the library; its content is its newest revision."""

    database_privileges = READ_APPEND_AND_CHANGE

    class Kind(models.TextChoices):
        """What the entry is."""

        TOOL = "tool", "Tool"
        KNOWLEDGE_BASE = "knowledge_base", "Knowledge base"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    latest = models.ForeignKey("LibraryRevision", on_delete=models.PROTECT, null=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = LibraryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["kind", "slug"], name="library_slug_is_unique_per_kind")]

    def __str__(self) -> str:
        return self.name


class LibraryRevision(models.Model):
    """The content of an entry at one moment: canonical JSON with its SHA-256. Append-only."""

    database_privileges = READ_AND_APPEND

    entry = models.ForeignKey(LibraryEntry, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    body = models.TextField()
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["LibraryRevision"]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "number"], name="library_revision_is_unique_per_entry"),
        ]
        triggers = append_only(table="LibraryRevision")

    def __str__(self) -> str:
        return f"{self.entry} revision {self.number}"
