"""Reads an agent's versions for their list: a page of rows with what happened to each, in a fixed number of queries."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from agentversions.models import Agent, AgentVersion, AuditEntry, GitVersion

from .deployments import live_version

PAGE_SIZE = 50


@dataclass(frozen=True)
class VersionRow:
    """One version with what its row says: whether it is live, older than that, or in the draft; how often restored."""

    version: AgentVersion
    is_live: bool
    is_before_live: bool
    is_draft: bool
    times_restored: int

    @property
    def restored_words(self) -> str:
        """The tag of a version that was restored: `once`, `twice`, `5 times`."""
        return {1: "once", 2: "twice"}.get(self.times_restored, f"{self.times_restored} times")


@dataclass(frozen=True)
class VersionPage:
    """A page of rows, newest first; `older` is the number to continue below, None at the end."""

    rows: tuple[VersionRow, ...]
    older: int | None


def list_versions(agent: Agent, *, below: int | None = None, text: str = "", size: int = PAGE_SIZE) -> VersionPage:
    """The newest versions whose number is below `below` and whose name or description holds every word of `text`.

    Pages continue by number, so the ten-thousandth version costs as much as the first and none is skipped or repeated
    when somebody publishes meanwhile.
    """
    found = agent.versions.search(text).newest_first().without_body()
    if below is not None:
        found = found.filter(number__lt=below)
    # Served by the unique index that leads with the version.
    commits = GitVersion.objects.filter(version=OuterRef("pk"), kind__in=GitVersion.MAKING)
    found = found.annotate(git_author=Subquery(commits.values("author")[:1]))
    versions = list(found[: size + 1])
    shown = versions[:size]
    live, restored = live_version(agent), _times_restored(agent, shown)
    rows = tuple(
        VersionRow(
            version,
            is_live=live is not None and live.number == version.number,
            is_before_live=live is not None and version.number < live.number,
            is_draft=version.configuration_id == agent.draft_id,
            times_restored=restored[version.number],
        )
        for version in shown
    )
    return VersionPage(rows, older=shown[-1].number if len(versions) > size else None)


def _times_restored(agent: Agent, versions: list[AgentVersion]) -> Counter[int]:
    """How often each was restored, from the trail that every restore writes in its transaction."""
    trail = AuditEntry.objects.filter(
        subject_kind="agent",
        subject=agent.slug,
        action="version restored",
        after__version__in=[version.number for version in versions],
    )
    return Counter(trail.values_list("after__version", flat=True))
