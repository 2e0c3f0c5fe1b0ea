"""What one field was in the latest version and what it is in the draft."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from agentversions.core.paths import MISSING, UnknownPath, label_of, unit_of, value_at
from agentversions.core.roles import Permission
from agentversions.core.text_diff import diff_text, fold, inline
from agentversions.core.wording import say_value
from config.htmx import fragment_or_page

from .access import actor_of, agent_or_404, page
from .editor import tab_named
from .editor_state import state_of


@page(Permission.READ)
def field_change_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """The difference of one field, with the button that takes the old value back."""
    agent, path = agent_or_404(slug), request.GET.get("path", "")
    state = state_of(agent)
    if path not in state.changed:
        raise Http404("This field is the same as in the latest version.")
    before, after = _shown(state.latest_document, path), _shown(state.document, path)
    context = {
        "agent": agent,
        "state": state,
        "path": path,
        "tab": tab_named(request.GET.get("tab", "")),
        "label": label_of(path),
        "before": before,
        "after": after,
        "rows": fold(inline(diff_text(before, after).rows)) if "\n" in before + after else (),
        "can_take_back": not agent.is_archived and actor_of(request).allows(Permission.EDIT),
    }
    return fragment_or_page(request, "agentversions/fragments/field_change_dialog.html", context)


def _shown(document: dict[str, Any], path: str) -> str:
    """The value in full: texts as they are, objects as JSON, settings in words."""
    value = value_at(document, path)
    if value is MISSING:
        return "(not there)"
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "\n".join(str(item.get("name") or item.get("id")) for item in value)
    return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict) else say_value(value, _unit(path))


def _unit(path: str) -> str:
    try:
        return unit_of(path)
    except UnknownPath:
        return ""
