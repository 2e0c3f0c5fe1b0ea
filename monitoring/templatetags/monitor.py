"""Figures and facts of calls as people read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import template

from channels.core.phone_numbers import shown

register = template.Library()
SENTIMENTS = {-1: "Negative", 0: "Neutral", 1: "Positive"}


@register.filter
def number(address: str) -> str:
    """A called number as people write it; a chat channel's key as it is."""
    return shown(address) if address.startswith("+") else address


@register.filter
def of(mapping: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has for a key: `{{ agents|of:call.agent_id }}`."""
    return mapping.get(key)


@register.filter
def as_length(milliseconds: int | None) -> str:
    """`2:25`, or `1:02:25`; a dash where it is not known."""
    if milliseconds is None:
        return "–"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def as_sentiment(sentiment: int | None) -> str:
    """The word of a sentiment."""
    return SENTIMENTS.get(sentiment, "–") if sentiment is not None else "–"


@register.filter
def as_key(key: tuple[datetime, int]) -> str:
    """Where a page goes on, as its address has it."""
    return quote(f"{key[0].isoformat()},{key[1]}")
