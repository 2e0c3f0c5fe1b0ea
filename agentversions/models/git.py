"""Git as a source of versions: which repository is followed, what was read of it, which commit made which version."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from .agents import Agent
from .database import EVERYTHING, READ_AND_APPEND, READ_APPEND_AND_CHANGE, ClockTimestamp, append_only
from .people import User
from .versions import AgentVersion

HASH = 64
"""Characters of the longest hash: SHA-256 repositories; SHA-1 has 40."""


class GitSource(models.Model):
    """The repository that is followed, and how far. There is one at most; its settings change through the service.

    `seen_commit` is the newest commit that was read, `head_commit` the branch's head when it was last looked at,
    `rewritten_head` a head that does not descend from `seen_commit`, until somebody says that it counts.
    `error` and `write_error` are sentences, empty while all is well.
    """

    database_privileges = READ_APPEND_AND_CHANGE

    is_only = models.BooleanField(default=True, unique=True)
    address = models.CharField(max_length=500)
    branch = models.CharField(max_length=200)
    folder = models.CharField(max_length=200, blank=True, default="")
    write_branch = models.CharField(max_length=200, blank=True, default="")
    write_since = models.DateTimeField(null=True)
    is_suspended = models.BooleanField(default=False)
    configured_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    configured_at = models.DateTimeField(db_default=ClockTimestamp())

    seen_commit = models.CharField(max_length=HASH, blank=True, default="")
    head_commit = models.CharField(max_length=HASH, blank=True, default="")
    head_at = models.DateTimeField(null=True)
    behind = models.PositiveIntegerField(default=0)
    takes_only_head = models.BooleanField(default=False)
    rewritten_head = models.CharField(max_length=HASH, blank=True, default="")
    checked_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    error_at = models.DateTimeField(null=True)
    write_error = models.TextField(blank=True, default="")
    write_error_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["GitSource"]] = models.Manager()

    class Meta:
        constraints = [models.CheckConstraint(name="git_source_is_the_only_one", condition=Q(is_only=True))]

    def __str__(self) -> str:
        return f"{self.address} ({self.branch})"


class GitFolder(models.Model):
    """A folder of the followed branch, as it was read last. `tree` is empty when it is to be read again.

    `digest` and `name` are those of the last configuration that could be read, `problem` says why the newest cannot."""

    database_privileges = EVERYTHING

    folder = models.CharField(max_length=100, unique=True)
    agent = models.OneToOneField(Agent, on_delete=models.PROTECT, null=True, related_name="git_folder")
    tree = models.CharField(max_length=HASH, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")
    digest = models.CharField(max_length=HASH, blank=True, default="")
    commit = models.CharField(max_length=HASH, blank=True, default="")
    is_removed = models.BooleanField(default=False)
    is_again = models.BooleanField(default=False)
    problem = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["GitFolder"]] = models.Manager()

    class Meta:
        ordering = ["folder"]

    def __str__(self) -> str:
        return self.folder


class GitVersionQuerySet(models.QuerySet["GitVersion"]):
    """Ties between versions and commits in the words of their pages."""

    def of_version(self, version: AgentVersion) -> "GitVersionQuerySet":
        """The commits of one version, the first tie first."""
        return self.filter(version=version).order_by("id")


class GitVersion(models.Model):
    """Ties a version to a commit: the commit made it, a commit was made of it, or it was met again in git."""

    database_privileges = READ_AND_APPEND

    class Kind(models.TextChoices):
        """How they belong together; AGAIN is a commit that made a version before and is the head once more."""

        MADE = "made", "Made from the commit"
        AGAIN = "again", "Made from the commit once more"
        WRITTEN = "written", "Written to the commit"
        MET = "met", "Found in the commit"

    MAKING = (Kind.MADE, Kind.AGAIN)
    """Ties to the commit that a version was made from."""

    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="git", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    commit = models.CharField(max_length=HASH)
    author = models.CharField(max_length=200, blank=True, default="")
    email = models.CharField(max_length=320, blank=True, default="")
    authored_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[Any] = GitVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "kind", "commit"], name="git_version_once_per_commit"),
            # Two runs at once, or one that is repeated: a commit makes one version of an agent.
            models.UniqueConstraint(
                fields=["agent", "commit"], condition=Q(kind="made"), name="git_commit_makes_one_version"
            ),
        ]
        triggers = append_only(table="GitVersion")

    def __str__(self) -> str:
        return f"{self.version_id} {self.kind} {self.commit[:10]}"

    @property
    def short(self) -> str:
        """The first ten characters of the commit's hash."""
        return self.commit[:10]


class GitDelivery(models.Model):
    """One genuine webhook delivery. Its id is unique: the same delivery sent again does nothing."""

    database_privileges = READ_AND_APPEND

    delivery = models.CharField(max_length=100, unique=True)
    event = models.CharField(max_length=60)
    outcome = models.CharField(max_length=200)
    received_at = models.DateTimeField(db_default=ClockTimestamp())

    objects: ClassVar[models.Manager["GitDelivery"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(table="GitDelivery")

    def __str__(self) -> str:
        return self.delivery


class GitRun(models.Model):
    """One look at the repository that did something or went wrong. Looks that found nothing new are not kept."""

    database_privileges = READ_AND_APPEND

    trigger = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_default=ClockTimestamp())
    from_commit = models.CharField(max_length=HASH, blank=True, default="")
    to_commit = models.CharField(max_length=HASH, blank=True, default="")
    commits = models.PositiveIntegerField(default=0)
    versions = models.PositiveIntegerField(default=0)
    agents = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")

    objects: ClassVar[models.Manager["GitRun"]] = models.Manager()

    class Meta:
        ordering = ["-id"]
        triggers = append_only(table="GitRun")

    def __str__(self) -> str:
        return f"{self.trigger} {self.to_commit[:10]}"
