"""How the sync is doing, from the database alone: lag, last run and error, deliveries, and what differs from git."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery

from agentversions.models import Agent, AgentVersion, Deployment, GitDelivery, GitFolder, GitRun, GitSource, GitVersion
from agentversions.models.database import database_now

from .writing import waiting_versions

SHOWN = 10
STALE_MINUTES = 5


@dataclass(frozen=True)
class Drift:
    """One agent beside its folder at the branch's head. `differs` says in words where they differ, empty: nowhere."""

    agent: Agent | None
    folder: str
    latest: int | None
    live: int | None
    commit: str
    problem: str
    differs: tuple[str, ...]

    @property
    def short(self) -> str:
        """The first ten characters of the commit that changed the folder last."""
        return self.commit[:10]


@dataclass(frozen=True)
class Health:
    """Everything that the page and the API say about the sync."""

    source: GitSource | None
    runs: tuple[GitRun, ...]
    deliveries: tuple[GitDelivery, ...]
    drift: tuple[Drift, ...]
    waiting: int
    now: datetime

    @property
    def state(self) -> str:
        """One word: `off`, `suspended`, `rewritten`, `failing`, `behind`, `never`, `well`."""
        source = self.source
        if source is None:
            return "off"
        if source.is_suspended:
            return "suspended"
        if source.rewritten_head:
            return "rewritten"
        if source.error:
            return "failing"
        if source.checked_at is None:
            return "never"
        return "behind" if source.behind else "well"

    @property
    def is_stale(self) -> bool:
        """Whether nobody has looked at the repository for minutes: the worker is not running."""
        if self.source is None or self.source.is_suspended:
            return False
        since = self.source.checked_at or self.source.configured_at
        return (self.now - since).total_seconds() > STALE_MINUTES * 60

    @property
    def lag_seconds(self) -> int:
        """For how long a head of the branch has been waiting; 0 when everything is read."""
        if self.source is None or not self.source.behind or self.source.head_at is None:
            return 0
        return max(0, int((self.now - self.source.head_at).total_seconds()))

    @property
    def drifting(self) -> tuple[Drift, ...]:
        """Only those that differ or cannot be read."""
        return tuple(row for row in self.drift if row.differs or row.problem)


def read_health(source: GitSource | None) -> Health:
    """The state of the sync, in a fixed number of queries."""
    return Health(
        source=source,
        runs=tuple(GitRun.objects.all()[:SHOWN]),
        deliveries=tuple(GitDelivery.objects.all()[:SHOWN]),
        drift=find_drift() if source else (),
        waiting=waiting_versions(source).count() if source else 0,
        now=database_now(),
    )


def find_drift() -> tuple[Drift, ...]:
    """Every agent that git knows or that has a version, and every folder that is no agent yet, by folder."""
    agents = list(_agents())
    folders = {row.agent_id: row for row in GitFolder.objects.filter(agent__isnull=False)}
    rows = [_drift_of(agent, folders.get(agent.pk)) for agent in agents]
    rows += [
        Drift(None, row.folder, None, None, row.commit, row.problem, ())
        for row in GitFolder.objects.filter(agent__isnull=True, is_removed=False)
    ]
    return tuple(sorted(rows, key=lambda row: row.folder or (row.agent.slug if row.agent else "")))


def _agents() -> Any:
    latest = AgentVersion.objects.filter(agent=OuterRef("pk")).newest_first()
    live = Deployment.objects.filter(agent=OuterRef("pk")).newest_first()
    return (
        Agent.objects.filter(Q(archived_at__isnull=True) | Q(git_folder__isnull=False))
        .annotate(
            latest_number=Subquery(latest.values("number")[:1]),
            latest_digest=Subquery(latest.values("configuration")[:1]),
            live_number=Subquery(live.values("version__number")[:1]),
            live_digest=Subquery(live.values("version__configuration")[:1]),
            is_in_git=Exists(
                GitVersion.objects.filter(agent=OuterRef("pk"), version__number=OuterRef("latest_number"))
            ),
        )
        .filter(Q(latest_number__isnull=False) | Q(git_folder__isnull=False))
    )


def _drift_of(agent: Any, row: GitFolder | None) -> Drift:
    differs = []
    if row is None:
        differs.append("is not in the repository")
    elif row.is_removed:
        live = f"; V{agent.live_number} is live" if agent.live_number else ""
        differs.append(f"its folder was removed{live}")
    else:
        if agent.latest_digest != row.digest:
            differs.append(f"V{agent.latest_number} is not in the branch" if agent.latest_number else "has no version")
        if agent.live_number and agent.live_digest != row.digest:
            differs.append(f"V{agent.live_number} is live, and differs")
        if agent.draft_id != agent.latest_digest:
            differs.append("the draft has changes of its own")
    return Drift(
        agent,
        row.folder if row else "",
        agent.latest_number,
        agent.live_number,
        row.commit if row else "",
        row.problem if row else "",
        tuple(differs),
    )
