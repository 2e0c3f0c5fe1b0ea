"""Requests for approval as their pages show them: the queue, the number in the navigation, one request in full."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from agentversions.core.changes import Change, Comparison, compare
from agentversions.core.paths import label_of
from agentversions.core.release import RequestState
from agentversions.core.roles import Permission
from agentversions.models import AgentVersion, ApprovalDecision, ApprovalRequest, User

from .approval_discussion import ShownComment, discuss, is_at
from .approvals import approvals_needed
from .live_versions import live_version
from .readiness import Readiness, approvers_of, readiness_of
from .rollback_reviews import waiting_rollbacks


@dataclass(frozen=True)
class ShownChange:
    """A difference with what was said about it."""

    change: Change
    comments: tuple[ShownComment, ...]


@dataclass(frozen=True)
class ShownRequest:
    """Everything that the page of a request shows. `base` is what it is compared with: what is live, or what was when
    it ended; `cannot` says why the reader may not decide, empty when they may."""

    request: ApprovalRequest
    live: AgentVersion | None
    base: AgentVersion | None
    comparison: Comparison | None
    changes: tuple[ShownChange, ...]
    remarks: tuple[ShownComment, ...]
    places: tuple[tuple[str, str], ...]
    readiness: Readiness
    approved_by: tuple[User, ...]
    needed: int
    decisions: tuple[ApprovalDecision, ...]
    cannot: str
    may_withdraw: bool
    may_comment: bool

    @property
    def difference(self) -> str:
        """The address of the page of differences with what was said, empty while there is nothing to compare with."""
        if self.base is None:
            return ""
        sides = [self.request.agent.slug, self.base.number, self.request.version.number]
        return f"{reverse('agentversions:version_compare', args=sides)}?approval={self.request.pk}"


def find_requests(*, agent: str = "", state: str = "") -> Any:
    """Requests, the newest first, of an agent (its slug) or in a state."""
    found = ApprovalRequest.objects.with_names().order_by("-id")
    if agent:
        found = found.filter(agent__slug=agent)
    return found.filter(state=state) if state else found


def find_request(number: int) -> ApprovalRequest | None:
    """The request of this number, None where there is none."""
    found: ApprovalRequest | None = ApprovalRequest.objects.with_names().filter(pk=number).first()
    return found


def count_waiting(reader: User) -> int:
    """How many requests and rollbacks wait for this person; 0 for whoever may not approve."""
    if not reader.allows(Permission.APPROVE):
        return 0
    requests = ApprovalRequest.objects.open().exclude(
        Q(version__created_by=reader) | Q(pk__in=ApprovalDecision.objects.filter(person=reader).values("request"))
    )
    return int(requests.count() + waiting_rollbacks().exclude(deployment__created_by=reader).count())


def request_of_version(version: AgentVersion) -> ApprovalRequest | None:
    """The newest request for a version, None while nobody asked."""
    found: ApprovalRequest | None = find_requests().filter(version=version).first()
    return found


def show_request(request: ApprovalRequest, reader: User) -> ShownRequest:
    """The request with all that is to be known before deciding."""
    live = live_version(request.agent)
    decisions = tuple(request.decisions.select_related("person", "live__configuration"))
    base = live if request.is_open or not decisions else decisions[-1].live
    if base == request.version:
        base = None
    version = request.version
    comparison = compare(base.configuration.load(), version.configuration.load()) if base else None
    discussion = discuss(request, reader)
    changes = tuple(
        ShownChange(change, tuple(one for one in discussion.comments if is_at(one.row.path, change.path)))
        for change in (comparison.changes if comparison else ())
    )
    placed = {one.row.pk for change in changes for one in change.comments}
    return ShownRequest(
        request=request,
        live=live,
        base=base,
        comparison=comparison,
        changes=changes,
        remarks=tuple(one for one in discussion.comments if one.row.pk not in placed),
        places=tuple((path, label_of(path) or path) for path in (comparison.changed_paths if comparison else ())),
        readiness=readiness_of(version),
        approved_by=approvers_of(version),
        needed=approvals_needed(request),
        decisions=decisions,
        cannot=_cannot(request, decisions, reader),
        may_withdraw=request.is_open
        and (reader.pk in (request.created_by_id, version.created_by_id) or reader.allows(Permission.ADMINISTER)),
        may_comment=discussion.may_comment,
    )


def _cannot(request: ApprovalRequest, decisions: tuple[ApprovalDecision, ...], reader: User) -> str:
    if not request.is_open:
        return f"It has ended: {RequestState(request.state).label.lower()}."
    if not reader.allows(Permission.APPROVE):
        return "An approver decides on it."
    if request.version.created_by_id == reader.pk:
        return "You published this version yourself, so somebody else decides on it."
    if any(row.person_id == reader.pk for row in decisions):
        return "You have approved it. One more person has to."
    return ""
