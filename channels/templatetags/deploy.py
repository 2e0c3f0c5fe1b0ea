"""Pieces of markup that several pages of Deploy need."""

from typing import Any

from django import template

from agentversions.services.freezes import in_words, open_freeze

register = template.Library()


@register.inclusion_tag("channels/fragments/freeze_notice.html", takes_context=True)
def freeze_notice(context: template.Context) -> dict[str, Any]:
    """Says that routes are frozen, while they are: `{% freeze_notice %}`."""
    freeze = open_freeze()
    return {"request": context["request"], "freeze": freeze, "words": in_words(freeze) if freeze else ""}
