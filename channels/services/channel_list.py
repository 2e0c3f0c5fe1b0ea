"""The list of channels: found, filtered and sorted; hundreds of thousands of rows stay quick."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from channels.models import Channel, RouteTarget

PER_PAGE = 50
MOST_COUNTED = 10_000
"""Rows beyond these are not counted: nobody pages that far, and counting them would be most of the work."""
SORTS = {
    "number": ("address",),
    "label": ("label", "address"),
    "changed": ("-route_changed_at", "address"),
}
ANSWERS = {"draft": "Draft", "live": "Live", "version": "A pinned version", "test": "An A/B test"}


@dataclass(frozen=True)
class Wanted:
    """What is looked for: text, an agent's slug, what of it answers (a key of ANSWERS), a version, on or off."""

    text: str = ""
    agent: str = ""
    answers: str = ""
    version: int | None = None
    state: str = ""
    sort: str = "number"

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.agent or self.answers or self.version or self.state)


@dataclass(frozen=True)
class Listed:
    """One page of channels; `count` is None beyond 10,000."""

    channels: list[Channel]
    page: int
    count: int | None

    @property
    def start(self) -> int:
        """The number of the first row shown."""
        return (self.page - 1) * PER_PAGE + 1

    @property
    def end(self) -> int:
        """The number of the last row shown."""
        return self.start + len(self.channels) - 1

    @property
    def next_page(self) -> int | None:
        """The page after this one."""
        is_more = self.count is None or self.end < self.count
        return self.page + 1 if is_more and len(self.channels) == PER_PAGE else None


def list_channels(wanted: Wanted, *, page: int = 1) -> Listed:
    """One page of what is wanted; pages beyond row 10,000 are not offered: search instead."""
    found = narrow(wanted).order_by()
    page = min(max(page, 1), MOST_COUNTED // PER_PAGE)
    start = (page - 1) * PER_PAGE
    if wanted.text:
        # Words are looked for in every row: once, for the count and for the page.
        keys = list(found.values_list("pk", flat=True)[: MOST_COUNTED + 1])
        counted = len(keys)
        if counted <= MOST_COUNTED:
            found = Channel.objects.filter(pk__in=keys)
    else:
        counted = found.values("pk")[: MOST_COUNTED + 1].count()
    rows = list(found.with_route().order_by(*SORTS.get(wanted.sort, SORTS["number"]))[start : start + PER_PAGE])
    return Listed(rows, page, counted if counted <= MOST_COUNTED else None)


def narrow(wanted: Wanted) -> Any:
    """The channels that are wanted, in no order."""
    found = Channel.objects.all()
    for word in _words(wanted.text):
        found = found.filter(Q(address__contains=word) | Q(label__icontains=word))
    if wanted.state in {"on", "off"}:
        found = found.filter(is_enabled=wanted.state == "on")
    if wanted.answers == "test":
        found = found.filter(route__is_test=True)
    targets = RouteTarget.objects.all()
    if wanted.agent:
        targets = targets.filter(agent__slug=wanted.agent)
    if wanted.answers in {"draft", "live", "version"}:
        targets = targets.filter(follow=wanted.answers)
    if wanted.version is not None:
        targets = targets.filter(version__number=wanted.version)
    if targets.query.where:
        found = found.filter(route__in=targets.values("route_id"))
    return found


def _words(text: str) -> list[str]:
    """Words to look for. What is typed as a number loses its spaces, dots and brackets: `01 98 76` finds `019876`."""
    if re.fullmatch(r"[+\d\s().\-/]+", text):
        digits = re.sub(r"[^\d+]", "", text)
        # A national form begins with a 0 that the stored form does not have.
        return [digits.removeprefix("00").removeprefix("0")] if digits else []
    return text.split()
