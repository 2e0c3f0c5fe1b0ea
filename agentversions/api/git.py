"""Git: the state of the sync with its drift, and asking for a sync."""

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from agentversions.services.git.health import Drift, read_health
from agentversions.services.git.queue import queue_sync
from agentversions.services.git.source import find_source, require_running

from .authentication import ADMINISTER, READ
from .schemas_git import GitAnswer, GitAsked, GitDrift

router = Router()


@router.get("/git", auth=READ, response=GitAnswer, url_name="git", summary="Read the state of git sync")
def read(request: HttpRequest) -> GitAnswer:
    """How far the followed branch was read, the last error, and every agent that differs from its folder."""
    health = read_health(find_source())
    source = health.source
    return GitAnswer(
        state=health.state,
        address=source.address if source else "",
        branch=source.branch if source else "",
        folder=source.folder if source else "",
        write_branch=source.write_branch if source else "",
        seen_commit=source.seen_commit if source else "",
        head_commit=source.head_commit if source else "",
        behind=source.behind if source else 0,
        lag_seconds=health.lag_seconds,
        waiting_to_be_written=health.waiting,
        checked_at=source.checked_at if source else None,
        succeeded_at=source.succeeded_at if source else None,
        error=source.error if source else "",
        write_error=source.write_error if source else "",
        drift=[_drift(row) for row in health.drifting],
    )


@router.post("/git/sync", auth=ADMINISTER, response={202: GitAsked}, url_name="git_sync", summary="Sync with git")
def sync(request: HttpRequest) -> Status[GitAsked]:
    """A worker looks at the repository now. 409 while no repository is followed, or the sync is suspended."""
    require_running()
    queue_sync("api")
    return Status(202, GitAsked(state="asked"))


def _drift(row: Drift) -> GitDrift:
    return GitDrift(
        agent=row.agent.slug if row.agent else None,
        folder=row.folder,
        latest=row.latest,
        live=row.live,
        commit=row.commit,
        problem=row.problem,
        differs=list(row.differs),
    )
