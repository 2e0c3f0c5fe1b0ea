"""What was said about what a request asks for, each comment at its place on the page of differences.

Comments of earlier requests of the agent stay to be read until a version is let through: whoever asks anew answers
them. One that was said of another configuration is outdated.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from django.db.models import Q

from agentversions.core.paths import label_of
from agentversions.core.release import RequestState
from agentversions.core.sections import KeptLines, Section
from agentversions.core.text_tables import Line
from agentversions.models import AgentVersion, ApprovalComment, ApprovalRequest, User

from .approval_comments import lines_at, may_comment

Place = tuple[str, int | None]
"""A path and a line of its text (from 1), or None for the whole field."""
Lines = Callable[[ApprovalRequest, str], list[str]]
LET_THROUGH = (RequestState.APPROVED.value, RequestState.OVERTAKEN.value)
TAKEN_BACK = (RequestState.CHANGES.value, RequestState.WITHDRAWN.value)


@dataclass(frozen=True)
class ShownComment:
    """A comment with its place in words, the line that it is about, and whether it was said of another configuration
    than the one that is asked for now."""

    row: ApprovalComment
    label: str
    quoted: str
    is_outdated: bool

    @property
    def lines(self) -> tuple[int, ...]:
        """The line at which it stands, none where it is about more, or where that text is another now."""
        return (self.row.line,) if self.row.line and not self.is_outdated else ()

    @property
    def places(self) -> Iterator[Place]:
        """Where it may stand, the best place first."""
        yield from ((self.row.path, line) for line in self.lines)
        yield (self.row.path, None)


@dataclass(frozen=True)
class Discussion:
    """The comments of a request, and whether the reader may add to them."""

    request: ApprovalRequest
    comments: tuple[ShownComment, ...]
    may_comment: bool

    @property
    def kept_lines(self) -> KeptLines:
        """The lines that stay open on the page of differences, because something was said about them."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for one in self.comments:
            found[one.row.path].update(one.lines)
        return found


@dataclass(frozen=True)
class PlacedDiscussion:
    """The comments at the places of one page; `elsewhere` are those of which the page shows nothing."""

    discussion: Discussion
    by_place: dict[Place, list[ShownComment]]
    elsewhere: tuple[ShownComment, ...]

    def at(self, path: str, line: int | None = None) -> Sequence[ShownComment]:
        """What stands at a place, the oldest first."""
        return self.by_place.get((path, line), ())


def discuss(request: ApprovalRequest, reader: User) -> Discussion:
    """The comments on a request and on those before it that led to nothing, the oldest first."""
    earlier = ApprovalRequest.objects.filter(agent=request.agent, pk__lt=request.pk)
    through = earlier.filter(state__in=LET_THROUGH).order_by("-pk").values_list("pk", flat=True).first() or 0
    asked = earlier.filter(state__in=TAKEN_BACK, pk__gt=through)
    rows = ApprovalComment.objects.filter(Q(request=request) | Q(request__in=asked)).order_by("pk")
    lines = cache(lines_at)
    found = rows.select_related("created_by", "request__version__configuration")
    comments = tuple(show_comment(row, request, lines) for row in found)
    return Discussion(request, comments, may_comment(reader))


def show_comment(row: ApprovalComment, request: ApprovalRequest, lines: Lines = lines_at) -> ShownComment:
    """A comment as the pages of a request show it; `lines` gives the lines of a text in a request's version."""
    quoted = lines(row.request, row.path)[row.line - 1 : row.line] if row.line else []
    is_outdated = row.request.digest != request.digest
    return ShownComment(row, label_of(row.path) or row.path, "".join(quoted), is_outdated)


def discussion_of(version: AgentVersion | None, number: str, reader: User) -> Discussion | None:
    """The discussion of the request of this number, None unless it asks for exactly this version."""
    if version is None or not (number.isascii() and number.isdecimal() and len(number) < 16):
        return None
    request = ApprovalRequest.objects.with_names().filter(pk=int(number), version=version).first()
    return discuss(request, reader) if request else None


def place_comments(discussion: Discussion, sections: Sequence[Section]) -> PlacedDiscussion:
    """Each comment at its line, else at its field, else at what its field is part of, as far as the page shows them."""
    places = {place for section in sections for place in _places(section)}
    by_place, elsewhere = defaultdict(list), []
    for one in discussion.comments:
        wider = ((section.path, None) for section in sections if section.path and is_at(one.row.path, section.path))
        found = next((place for place in (*one.places, *wider) if place in places), None)
        if found is None:
            elsewhere.append(one)
        else:
            by_place[found].append(one)
    return PlacedDiscussion(discussion, dict(by_place), tuple(elsewhere))


def is_at(path: str, of: str) -> bool:
    """Whether a path is another, or lies inside it."""
    return path == of or path.startswith((f"{of}.", f"{of}["))


def _places(section: Section) -> Iterator[Place]:
    paths = [section.path, *(setting.path for setting in section.settings), *(block.path for block in section.blocks)]
    yield from ((path, None) for path in paths if path)
    for block in section.blocks:
        rows = () if block.is_json else block.table.rows
        yield from ((block.path, row.head_number) for row in rows if isinstance(row, Line) and row.head_number)
