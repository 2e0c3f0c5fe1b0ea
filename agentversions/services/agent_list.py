"""The list of agents: found, filed and counted in a constant number of queries, however many there are."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, Subquery

from agentversions.models import Agent, AgentVersion, Deployment

PER_PAGE = 50


@dataclass(frozen=True)
class Folder:
    """A folder of the list: its path, its own name, how deep it lies, how many agents are in it and below."""

    path: str
    name: str
    depth: int
    count: int


def list_agents(*, text: str = "", folder: str = "", is_archived: bool = False, page: str | int = 1) -> Page[Any]:
    """One page of agents with their latest and live version; a page beyond the end is the last one.

    Each agent has `latest_number`, `latest_name`, `latest_digest` and `live_number`, None where there is none.
    """
    found = _shown(is_archived).search(text)
    if folder:
        found = found.filter(Q(folder=folder) | Q(folder__startswith=f"{folder}/"))
    return Paginator(
        _with_versions(found.with_draft().defer("draft__body").order_by("folder", "name", "pk")), PER_PAGE
    ).get_page(page)


def list_folders(*, is_archived: bool = False) -> tuple[Folder, ...]:
    """Every folder with agents in it or below, in the order of a tree."""
    own = dict(_shown(is_archived).exclude(folder="").values_list("folder").annotate(Count("pk")).order_by("folder"))
    paths: dict[str, int] = {}
    for path, count in own.items():
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            paths[above] = paths.get(above, 0) + count
    ordered = sorted(paths, key=lambda path: path.lower().split("/"))
    return tuple(Folder(path, path.rpartition("/")[2], path.count("/"), paths[path]) for path in ordered)


def _shown(is_archived: bool) -> Any:
    return Agent.objects.filter(archived_at__isnull=False) if is_archived else Agent.objects.active()


def _with_versions(agents: Any) -> Any:
    # Both are served by an index that leads with the agent: (agent, number) and (agent, -id).
    latest = AgentVersion.objects.filter(agent=OuterRef("pk")).newest_first()
    live = Deployment.objects.filter(agent=OuterRef("pk")).newest_first()
    return agents.annotate(
        latest_number=Subquery(latest.values("number")[:1]),
        latest_name=Subquery(latest.values("name")[:1]),
        latest_digest=Subquery(latest.values("configuration")[:1]),
        live_number=Subquery(live.values("version__number")[:1]),
    )
