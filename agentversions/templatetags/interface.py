"""Small pieces of markup that every page needs: icons, times, digests, values in words."""

from datetime import datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agentversions.core.roles import Permission, Role
from agentversions.core.wording import say_value
from config.navigation import GROUPS, entries_of

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: `{% icon "rocket" %}`."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#tabler-{}"></use></svg>',
        extra,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def when(moment: datetime | None) -> SafeString:
    """A time as people say it (`2 minutes ago`), exact with its zone on hover."""
    if moment is None:
        return format_html("{}", "never")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), naturaltime(moment)
    )


@register.filter
def exact(moment: datetime) -> str:
    """A time to the second in the reader's zone: `18 Nov 2026, 16:42:07 CET`."""
    return timezone.localtime(moment).strftime("%-d %b %Y, %H:%M:%S %Z")


@register.filter
def short_digest(digest: str) -> str:
    """The first eight characters, enough to recognise a configuration."""
    return digest[:8]


@register.filter
def in_words(value: Any, unit: str = "") -> str:
    """A setting's value in words: `on`, `700 ms`, `not set`."""
    return say_value(value, unit)


@register.simple_tag(takes_context=True)
def may(context: template.Context, permission: str) -> bool:
    """Whether the reader's roles allow something: `{% may "edit" as may_edit %}`."""
    user = context["request"].user
    return bool(user.is_authenticated and user.allows(Permission(permission)))


@register.filter
def role_names(roles: list[str]) -> str:
    """Roles as people read them: `Editor, Call reviewer`."""
    return ", ".join(Role(role).label if role in set(Role) else role for role in roles)


@register.filter
def percent(share: float) -> str:
    """A share as people read it: `93.5 %`."""
    return f"{share * 100:.1f} %"


@register.filter
def points(difference: float) -> str:
    """A difference of shares in points, with its sign: `−2.5`."""
    return f"{difference * 100:+.1f}".replace("-", "−")


@register.filter
def undo_address(message: Any) -> str:
    """The address that takes back what a message says was done, empty when it cannot be taken back."""
    tags = (message.extra_tags or "").split(" ")
    return next((tag.removeprefix("undo:") for tag in tags if tag.startswith("undo:")), "")


@register.filter
def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation's groups with the entries that the reader may open; the current one is marked."""
    user = request.user
    groups = []
    # The page of one entry may lie below another's (/channels/fleet/ below /channels/): the closest is where one is.
    matching = (entry.address for title in GROUPS for entry in entries_of(title))
    current = max((address for address in matching if request.path.startswith(address)), key=len, default="")
    for title in GROUPS:
        items = [
            {
                "label": entry.label,
                "icon": entry.icon,
                "address": entry.address,
                "is_current": entry.address == current,
                "badge": entry.badge_address,
                "badge_trigger": entry.badge_trigger,
            }
            for entry in entries_of(title)
            if user.is_authenticated and user.allows(Permission(entry.permission))
        ]
        if items:
            groups.append({"title": title, "items": items})
    return groups
