"""Versions: publish, list, read, restore, compare; and which one is live."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.params.functions import Query
from pydantic import Field

from agentversions.services.comparison import compare_sides
from agentversions.services.deployments import current_deployment, make_live, roll_back
from agentversions.services.publishing import get_version, publish, restore_version
from agentversions.services.version_history import list_versions

from .addresses import next_page, version_address
from .agents import Size, Words
from .answers import comparison_answer, full_version_answer, live_answer, version_answer
from .authentication import EDIT, READ, ROUTE, actor_of
from .conditions import digest_seen, etag, is_known_already, not_modified
from .finding import find_agent, find_version
from .schemas import (
    ComparisonAnswer,
    LiveAnswer,
    NewLive,
    NewVersion,
    Restoration,
    RestoredAnswer,
    VersionAnswer,
    VersionList,
    VersionWithConfiguration,
)

router = Router()
AGENT = "/agents/{slug:slug}"
VERSIONS = f"{AGENT}/versions"
VERSION = VERSIONS + "/{int:number}"


@router.post(VERSIONS, auth=EDIT, response={201: VersionAnswer}, url_name="versions", summary="Publish the draft")
def publish_draft(request: HttpRequest, response: HttpResponse, slug: str, body: NewVersion) -> VersionAnswer:
    """The draft becomes the next version and stays as it is. If-Match (optional) names the draft that you saw. A draft
    that is identical to a version is refused (409) unless `publish_identical` is true."""
    version = publish(
        agent=find_agent(slug),
        name=body.name,
        description=body.description,
        expected=digest_seen(request),
        latest_seen=body.latest_seen,
        allow_identical=body.publish_identical,
        actor=actor_of(request),
    )
    response["Location"], response["ETag"] = version_address(version), etag(version.configuration_id)
    return version_answer(version, is_live=False)


@router.get(VERSIONS, auth=READ, response=VersionList, url_name="versions", summary="List versions")
def list_all(
    request: HttpRequest,
    slug: str,
    search: Words = Query(""),
    below: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = Query(None),
    limit: Size = Query(100),
) -> VersionList:
    """Newest first; `below` goes on from a number, so that a page never skips or repeats while others publish."""
    agent = find_agent(slug)
    page = list_versions(agent, below=below, text=search, size=limit)
    for row in page.rows:
        row.version.agent = agent
    items = [version_answer(row.version, is_live=row.is_live) for row in page.rows]
    return VersionList(items=items, next=next_page(request, below=page.older) if page.older else None)


@router.get(VERSION, auth=READ, response=VersionWithConfiguration, url_name="version", summary="Read a version")
def read(request: HttpRequest, slug: str, number: int) -> VersionWithConfiguration:
    """With its configuration, which never changes; whether it is live may."""
    return full_version_answer(find_version(slug, number))


@router.post(
    f"{VERSION}/restore", auth=EDIT, response=RestoredAnswer, url_name="version_restore", summary="Restore a version"
)
def restore(
    request: HttpRequest, response: HttpResponse, slug: str, number: int, body: Restoration | None = None
) -> RestoredAnswer:
    """The draft becomes exactly this version; what it replaces stays in the draft history. If-Match is optional."""
    version = find_version(slug, number)
    done = restore_version(
        version=version,
        publish_first_as=body.publish_first_as if body else None,
        expected=digest_seen(request),
        actor=actor_of(request),
    )
    response["ETag"] = etag(version.configuration_id)
    published = version_answer(done.published, is_live=False) if done.published else None
    return RestoredAnswer(agent=slug, digest=version.configuration_id, replaced=done.replaced, published=published)


@router.get(
    AGENT + "/compare/{str:base}...{str:head}",
    auth=READ,
    response=ComparisonAnswer,
    url_name="compare",
    summary="Compare",
)
def compare(request: HttpRequest, slug: str, base: str, head: str) -> ComparisonAnswer:
    """Base and head are each a version's number, `draft`, `live`, or the digest of a former state of the draft."""
    agent = find_agent(slug)
    return comparison_answer(agent, compare_sides(agent=agent, base=base, head=head))


@router.get(f"{AGENT}/live", auth=READ, response=LiveAnswer, url_name="live", summary="Read what is live")
def read_live(request: HttpRequest, response: HttpResponse, slug: str) -> Any:
    """404 while nothing is live."""
    answer = live_answer(current_deployment(find_agent(slug)))
    if is_known_already(request, answer.digest):
        return not_modified(answer.digest)
    response["ETag"] = etag(answer.digest)
    return answer


@router.post(f"{AGENT}/live", auth=ROUTE, response={201: LiveAnswer}, url_name="live", summary="Make live or roll back")
def set_live(request: HttpRequest, slug: str, body: NewLive) -> LiveAnswer:
    """One row is added; nothing is copied. `is_rollback` with a reason says that this takes back a bad version."""
    agent, actor = find_agent(slug), actor_of(request)
    version = get_version(agent, body.version)
    if body.is_rollback:
        return live_answer(
            roll_back(agent=agent, to=version, reason=body.reason, override_reason=body.override_reason, actor=actor)
        )
    return live_answer(
        make_live(version=version, reason=body.reason, override_reason=body.override_reason, actor=actor)
    )
