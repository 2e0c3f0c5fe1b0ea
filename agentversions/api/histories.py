"""What was: the draft's saved states, what was live when, and who brought each line of a prompt."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from agentversions.services.blame import blame_prompt
from agentversions.services.draft_history import list_draft_states
from agentversions.services.publishing import take_back_draft

from .addresses import next_page
from .agents import Size
from .answers import live_answer
from .authentication import EDIT, READ, actor_of
from .conditions import digest_seen, etag
from .finding import find_agent, find_version
from .schemas_histories import BlamedLine, DeploymentList, PastDraft, PastDraftList, TakenBack

router = Router()
AGENT = "/agents/{slug:slug}"
HISTORY = f"{AGENT}/draft/history"
Row = Annotated[int, Field(ge=1, le=2_147_483_647)]


@router.get(HISTORY, auth=READ, response=PastDraftList, url_name="draft_history", summary="List a draft's saved states")
def list_states(request: HttpRequest, slug: str, below: Row | None = None, limit: Size = 100) -> PastDraftList:
    """Newest first, with who saved and why; `below` goes on from a page's `next`."""
    page = list_draft_states(find_agent(slug), below=below, size=limit)
    items = [
        PastDraft(
            digest=state.digest,
            replaced=state.before,
            saved_at=state.at,
            saved_by=state.author,
            reason=state.reason,
            version=state.version,
        )
        for sitting in page.sittings
        for state in sitting.states
    ]
    return PastDraftList(items=items, next=next_page(request, below=page.older) if page.older else None)


@router.post(
    HISTORY + "/{str:digest}/take-back",
    auth=EDIT,
    response=TakenBack,
    url_name="draft_take_back",
    summary="Take a draft's former state back",
)
def take_back(request: HttpRequest, response: HttpResponse, slug: str, digest: str) -> TakenBack:
    """The draft becomes exactly this former state of its own. If-Match (optional) names the draft that you saw."""
    done = take_back_draft(
        agent=find_agent(slug), digest=digest, expected=digest_seen(request), actor=actor_of(request)
    )
    response["ETag"] = etag(digest)
    return TakenBack(agent=slug, digest=digest, replaced=done.replaced)


@router.get(
    f"{AGENT}/live/history",
    auth=READ,
    response=DeploymentList,
    url_name="live_history",
    summary="List what was live",
)
def list_live(request: HttpRequest, slug: str, below: Row | None = None, limit: Size = 100) -> DeploymentList:
    """Newest first: every version that was made live or rolled back to, when, by whom and why."""
    rows = find_agent(slug).deployments.newest_first().select_related("version__agent", "created_by", "override")
    found = list((rows.filter(pk__lt=below) if below else rows)[: limit + 1])
    shown = found[:limit]
    following = next_page(request, below=shown[-1].pk) if len(found) > limit else None
    return DeploymentList(items=[live_answer(row) for row in shown], next=following)


@router.get(
    AGENT + "/versions/{int:number}/blame",
    auth=READ,
    response=list[BlamedLine],
    url_name="version_blame",
    summary="Say who brought each line of a prompt",
)
def blame(request: HttpRequest, slug: str, number: int) -> list[BlamedLine]:
    """Each line of the version's system prompt with the version that introduced it and its author."""
    blamed = blame_prompt(find_version(slug, number))
    return [
        BlamedLine(
            number=line.number,
            text=line.text,
            version=part.version.number,
            version_name=part.version.name,
            by=part.version.created_by.username,
            or_older=part.is_older,
        )
        for part in blamed.parts
        for line in part.lines
    ]
