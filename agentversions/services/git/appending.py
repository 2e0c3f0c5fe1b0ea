"""Appends the versions that commits bring: configurations, versions, ties and audit entries, many with each query."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from agentversions.core.git.folders import AgentFolder
from agentversions.core.git.objects import Commit
from agentversions.core.version_words import DESCRIPTION_LIMIT, NAME_LIMIT, one_line, storable
from agentversions.models import Agent, AgentVersion, AuditEntry, Configuration, GitVersion
from agentversions.models.database import database_now
from agentversions.services.audit import entry_of, record_all
from config.origin import GIT, Origin, originating

from .authors import Authors

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Placed:
    """What a commit holds of a locked agent, and the number of the version that it is."""

    agent: Agent
    number: int
    commit: Commit
    folder: AgentFolder


def append_versions(made: list[Placed], authors: Authors) -> None:
    """Append the versions, each with its tie to the commit and its entry in the audit trail.

    Those of one agent stand in the order of their numbers."""
    if not made:
        return
    # One moment for all, taken after the agents are locked; a default of the database would be asked row by row.
    now = database_now()
    Configuration.objects.store_bodies([placed.folder.body for placed in made])
    versions = AgentVersion.objects.bulk_create(
        [
            AgentVersion(
                agent_id=placed.agent.pk,
                number=placed.number,
                name=name_of(placed.commit),
                description=description_of(placed.commit),
                configuration_id=placed.folder.digest,
                created_by=authors.of(placed.commit),
                created_at=now,
            )
            for placed in made
        ],
        batch_size=ROWS_AT_ONCE,
    )
    used = _commits_used(made)
    ties = []
    for version, placed in zip(versions, made, strict=True):
        is_again = (placed.agent.pk, placed.commit.id) in used
        ties.append(_tie(placed, version.pk, GitVersion.Kind.AGAIN if is_again else GitVersion.Kind.MADE, now))
    GitVersion.objects.bulk_create(ties, batch_size=ROWS_AT_ONCE)
    record_all(_entry(placed, version) for version, placed in zip(versions, made, strict=True))


def tie_versions(met: list[Placed]) -> None:
    """Tie versions that were published here to the commits in which git holds them now."""
    if not met:
        return
    wanted = Q(*(Q(agent=placed.agent, number=placed.number) for placed in met), _connector=Q.OR)
    keys = {(agent, number): key for agent, number, key in AgentVersion.objects.filter(wanted).values_list(
        "agent", "number", "pk"
    )}  # fmt: skip
    now = database_now()
    GitVersion.objects.bulk_create(
        [_tie(placed, keys[placed.agent.pk, placed.number], GitVersion.Kind.MET, now) for placed in met],
        batch_size=ROWS_AT_ONCE,
        ignore_conflicts=True,
    )


def name_of(commit: Commit) -> str:
    """The name of a commit's version: its subject on one line."""
    return one_line(storable(commit.subject))[:NAME_LIMIT].rstrip() or f"Commit {commit.short}"


def description_of(commit: Commit) -> str:
    """The description of a commit's version: its body."""
    return storable(commit.body)[:DESCRIPTION_LIMIT].strip()


def _commits_used(made: list[Placed]) -> set[tuple[int, str]]:
    """Agent and commit of those that made a version of it before."""
    used = GitVersion.objects.filter(
        kind=GitVersion.Kind.MADE,
        agent__in={placed.agent.pk for placed in made},
        commit__in={placed.commit.id for placed in made},
    )
    return set(used.values_list("agent", "commit"))


def _tie(placed: Placed, version: int, kind: GitVersion.Kind, now: datetime) -> GitVersion:
    return GitVersion(
        agent_id=placed.agent.pk,
        version_id=version,
        kind=kind,
        commit=placed.commit.id,
        author=storable(placed.commit.author)[:200],
        email=storable(placed.commit.email)[:320],
        authored_at=placed.commit.authored_at,
        created_at=now,
    )


def _entry(placed: Placed, version: AgentVersion) -> AuditEntry:
    with originating(Origin(GIT, placed.commit.id)):
        return entry_of(
            action="version published",
            subject_kind="agent",
            subject=placed.agent.slug,
            reason=version.name,
            after={
                "version": version.number,
                "digest": version.configuration_id,
                "commit": placed.commit.id,
                "author": storable(placed.commit.author)[:200],
            },
            actor=version.created_by,
        )
