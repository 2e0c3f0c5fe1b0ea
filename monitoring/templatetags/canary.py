"""A judge's evidence and words as people read them."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitoring.core.canary_words import times as times_in_words
from monitoring.services.canary_page import filled as filled_to

register = template.Library()
MANY = 1_000_000


@register.filter
def verdict_lead(words: str) -> SafeString:
    """The sentences of a verdict with their first word (`Continue:`) in bold."""
    lead, colon, rest = words.partition(":")
    return format_html("<strong>{}{}</strong>{}", lead, colon, rest)


@register.filter
def evidence(value: float) -> str:
    """`0.03`, `1.4`, `96`, `over a million`."""
    if value >= MANY:
        return "over a million"
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.1g}" if value >= 1e-4 else "0"


@register.filter
def filled(value: float, bar: float) -> int:
    """How far an evidence has come towards its bar, in per cent."""
    return filled_to(value, bar)


@register.filter
def times(ratio: float | None, otherwise: str = "–") -> str:
    """A ratio: `0.92`, `1.6`."""
    return times_in_words(ratio) if ratio is not None else otherwise


@register.filter
def plain(value: float | None) -> str:
    """An average with three digits; a dash without one."""
    return "–" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


@register.filter
def guardrail_says(finding: Mapping[str, Any]) -> str:
    """What a guardrail found: worse beyond chance, or how far the evidence is."""
    if finding["is_harmful"]:
        return "Worse beyond chance"
    if finding["evidence"] is not None:
        return f"Evidence of harm {evidence(finding['evidence'])} of {finding['bar']:,.0f}"
    return "Not worse beyond chance" if finding["beyond"] else "Too few calls"
