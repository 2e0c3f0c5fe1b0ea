"""Drafts: read, replace, edit; nobody's newer save is ever overwritten."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router

from agentversions.core.edits import Edit
from agentversions.core.json_merge import merge_patch
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document, write_document
from agentversions.models import Agent
from agentversions.services.draft_pointer import lock_agent_at
from agentversions.services.drafts import SavedDraft, edit_draft, replace_draft

from .answers import draft_answer
from .authentication import EDIT, READ, actor_of, token_of
from .conditions import etag, is_known_already, not_modified, require_condition
from .finding import find_agent
from .schemas import DraftAnswer, DraftPatch, DraftReplacement

router = Router()
PATH = "/agents/{slug:slug}/draft"


@router.get(PATH, auth=READ, response=DraftAnswer, url_name="draft", summary="Read a draft")
def read(request: HttpRequest, response: HttpResponse, slug: str) -> Any:
    """With its digest as ETag, and what stands in the way of publishing it."""
    agent = find_agent(slug)
    if is_known_already(request, agent.draft_id):
        return not_modified(agent.draft_id)
    response["ETag"] = etag(agent.draft_id)
    return draft_answer(agent, agent.draft.load())


@router.put(PATH, auth=EDIT, response=DraftAnswer, url_name="draft", summary="Replace a draft")
def replace(request: HttpRequest, response: HttpResponse, slug: str, body: DraftReplacement) -> DraftAnswer:
    """If-Match names the digest that you saw; 412 when somebody saved meanwhile. Fields left out get their defaults."""
    agent, seen = find_agent(slug), require_condition(request)
    content = read_document(body.configuration)
    saved = replace_draft(
        agent=agent, content=content, expected=seen, reason=_reason(request, body.reason), actor=actor_of(request)
    )
    return _saved(response, saved)


@router.patch(PATH, auth=EDIT, response=DraftAnswer, url_name="draft", summary="Edit a draft")
def edit(request: HttpRequest, response: HttpResponse, slug: str, body: DraftPatch) -> DraftAnswer:
    """Edits by path, or a configuration with only what changes. If-Match as for PUT; with `base` instead, edits merge
    with what others saved since, and only the same field changed twice is refused (409, with both sides)."""
    agent = find_agent(slug)
    if (body.edits is None) == (body.configuration is None):
        raise InvalidConfiguration((FieldError("", "Send either “edits” or “configuration”, one of the two."),))
    if body.edits is None:
        return _saved(response, _merge_fields(request, agent, body))
    edits = tuple(Edit(one.op, one.path, one.value) for one in body.edits)
    reason, actor = _reason(request, body.reason), actor_of(request)
    if body.base is not None and "If-Match" not in request.headers:
        return _saved(response, edit_draft(agent=agent, base=body.base, edits=edits, reason=reason, actor=actor))
    seen = require_condition(request)
    with transaction.atomic():
        locked = lock_agent_at(agent, seen)
        saved = edit_draft(agent=locked, base=locked.draft_id, edits=edits, reason=reason, actor=actor)
    return _saved(response, saved)


def _merge_fields(request: HttpRequest, agent: Agent, body: DraftPatch) -> SavedDraft:
    seen = require_condition(request)
    with transaction.atomic():
        locked = lock_agent_at(agent, seen)
        content = read_document(merge_patch(write_document(locked.draft.load()), body.configuration))
        return replace_draft(
            agent=locked, content=content, reason=_reason(request, body.reason), actor=actor_of(request)
        )


def _reason(request: HttpRequest, reason: str) -> str:
    """The draft history says which program saved."""
    return reason.strip() or f"Saved through the API by the token {token_of(request).name}"


def _saved(response: HttpResponse, saved: SavedDraft) -> DraftAnswer:
    response["ETag"] = etag(saved.agent.draft_id)
    return draft_answer(saved.agent, saved.content, merged_others=saved.merged_others)
