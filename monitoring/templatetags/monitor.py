"""Figures and facts of calls as people read them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, localtime

from agentversions.templatetags.interface import exact
from channels.core.phone_numbers import shown
from monitoring.core.comparing import Difference, Estimate

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
def as_moment(moment: datetime) -> SafeString:
    """`21 Nov, 10:43:12` in the reader's zone, the year where it is another one; exact with its zone on hover."""
    local = localtime(moment)
    words = local.strftime("%-d %b, %H:%M:%S" if local.year == localdate().year else "%-d %b %Y, %H:%M:%S")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), words)


@register.filter
def as_length(milliseconds: float | None) -> str:
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
def as_figure(estimate: Estimate | None, kind: str) -> str:
    """An estimate in its unit: `74.7 %`, `2:28`, `850 ms`, `+0.35`; a dash without one."""
    if estimate is None:
        return "–"
    if kind == "rate":
        return f"{100 * estimate.value:.1f} %"
    if kind == "length":
        return as_length(round(estimate.value))
    if kind == "latency":
        return f"{estimate.value:,.0f} ms"
    return f"{estimate.value:,.0f}" if kind == "count" else f"{estimate.value:+.2f}".replace("-", "−")


@register.filter
def as_value(value: float, kind: str) -> str:
    """One end of an interval in its unit: `74.7 %`, `2:28`, `+0.35`."""
    return as_figure(Estimate(value, value, value, 0), kind)


@register.filter
def as_interval(found: Estimate | Difference, kind: str) -> str:
    """Both ends with their unit once: `64.5 to 76.0 %`, of a difference `−2.6 to +9.6 pts`."""
    shown = as_change if isinstance(found, Difference) else as_value
    low, high = shown(found.low, kind), shown(found.high, kind)
    return f"{low.split(' ')[0]} to {high}"


@register.filter
def about(count: int) -> int:
    """A number that is only known roughly, to two digits: 16,496 is 16,000."""
    return round(count, 2 - len(str(count)))


@register.filter
def as_change(value: float, kind: str) -> str:
    """A difference in its unit, with its sign: `+3.5 pts`, `−13.0 s`, `+0.04`."""
    words = {"rate": f"{100 * value:+.1f} pts", "length": f"{value / 1000:+.1f} s"}.get(kind, f"{value:+.2f}")
    return words.replace("-", "−")


@register.filter
def as_share(share: float) -> str:
    """A share in per cent: `58.3 %`."""
    return f"{100 * share:.1f} %"


@register.filter
def unlocalized(value: float) -> str:
    """A number as scripts read it."""
    return repr(value)


@register.filter
def slot(moment: datetime, grain: str) -> str:
    """The name of a chart's point: `14:00`, `Sat 21 Nov`, `from 16 Nov 2026`, `Nov 2026`."""
    shapes = {"hour": "%-d %b, %H:%M", "day": "%a %-d %b %Y", "week": "from %-d %b %Y", "month": "%b %Y"}
    return moment.strftime(shapes[grain])


@register.filter
def as_data(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
