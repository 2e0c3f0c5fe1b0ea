"""Comments on a request for approval where they stand on the page of differences; on other pages the tags are empty."""

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from agentversions.services.approval_discussion import PlacedDiscussion

register = template.Library()
SLOT = SafeString('<div class="remarks"><div class="remark-slot"></div></div>')


@register.simple_tag(takes_context=True)
def comment_address(context: template.Context, path: str) -> str:
    """Where one comments on a field, empty for who may not: `{% comment_address section.path as address %}`."""
    remarks: PlacedDiscussion | None = context.get("remarks")
    if remarks is None or not path or not remarks.discussion.may_comment:
        return ""
    address = reverse("agentversions:approval_comment", args=[remarks.discussion.request.pk])
    return f"{address}?{urlencode({'path': path})}"


@register.simple_tag
def line_number(number: int | None, address: str) -> str | SafeString:
    """A line's number, a link to comment on the line where there is an address for its text."""
    if number is None or not address:
        return str(number or "")
    there = f"{address}&line={number}"
    words = '<a href="{}" hx-get="{}" aria-label="Comment on line {}" title="Comment">{}</a>'
    return format_html(words, there, there, number, number)


@register.simple_tag(takes_context=True)
def remarks_here(context: template.Context, path: str, line: int | None = None) -> SafeString | str:
    """What was said of a field or a line, and the place where the form opens: `{% remarks_here path line %}`."""
    remarks: PlacedDiscussion | None = context.get("remarks")
    if remarks is None or not path:
        return ""
    said = remarks.at(path, line)
    if not said:
        return SLOT
    there = {"said": said, "is_beside": line is not None}
    # Stripped: lines of a text keep their white space, this one's end too.
    return SafeString(render_to_string("agentversions/fragments/approval_remarks_here.html", there).strip())
