"""Approvals: the queue, one request with its difference and evidence, deciding, commenting, taking back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.paths import label_of
from agentversions.core.release import Verdict
from agentversions.core.roles import Permission
from agentversions.forms.approvals import CommentForm, DecisionForm, ReasonForm
from agentversions.models import ApprovalRequest, RollbackReview
from agentversions.services.approval_comments import comment, lines_at, may_comment
from agentversions.services.approval_discussion import show_comment
from agentversions.services.approval_list import count_waiting, find_request, find_requests, show_request
from agentversions.services.approvals import decide, withdraw_request
from agentversions.services.errors import NotAllowed, ReasonMissing, Refused, RequestRefused
from agentversions.services.rollback_reviews import review_rollback, waiting_rollbacks
from config.htmx import fragment_or_page, wants_fragment

from .access import actor_of, page

FRAGMENTS = "agentversions/fragments"
MOST_OVER = 30


@page(Permission.READ)
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits for an approver, rollbacks that want a look, and what ended last."""
    agent = request.GET.get("agent", "").replace("\x00", "")[:100]
    found = find_requests(agent=agent)
    reviews = waiting_rollbacks()
    context = {
        "waiting": found.open(),
        "reviews": reviews.filter(deployment__agent__slug=agent) if agent else reviews,
        "over": found.over()[:MOST_OVER],
        "agent": agent,
    }
    return fragment_or_page(
        request, f"{FRAGMENTS}/approval_lists.html", context, page="agentversions/approval_list.html"
    )


@page(Permission.READ)
def approval_badge(request: HttpRequest) -> HttpResponse:
    """How much waits for the reader, for the navigation."""
    context = {"count": count_waiting(actor_of(request)), "title": "Approvals"}
    return fragment_or_page(request, f"{FRAGMENTS}/approval_badge.html", context)


@page(Permission.READ)
def approval_detail(request: HttpRequest, number: int) -> HttpResponse:
    """One request: the difference to live, what was evaluated, which numbers it reaches, what was said."""
    return _detail(request, request_or_404(number))


@page(Permission.APPROVE, "POST")
def approval_decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approves, or asks for changes."""
    found, form = request_or_404(number), DecisionForm(request.POST)
    if not form.is_valid():
        return _detail(request, found, decision=form)
    data = form.cleaned_data
    try:
        done = decide(
            request=found,
            verdict=Verdict(data["verdict"]),
            digest=data["digest"],
            seen_live=data["seen"],
            note=data["note"],
            actor=actor_of(request),
        )
    except NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except (ReasonMissing, RequestRefused) as refusal:
        form.add_error("note", str(refusal))
    except Refused as refusal:
        form.add_error(None, str(refusal))
    else:
        messages.success(request, _said(done))
        return redirect("agentversions:approval_detail", number)
    return _detail(request, found, decision=form)


def _said(done: ApprovalRequest) -> str:
    if done.is_open:
        return "Approved. It waits for one more person."
    return f"{done.get_state_display()}. {done.outcome}".strip()


@page(Permission.READ, "POST")
def approval_withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Takes a request back; who may, the service knows."""
    form = ReasonForm(request.POST)
    try:
        withdraw_request(request=request_or_404(number), reason=form.data.get("reason", ""), actor=actor_of(request))
    except NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except Refused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "Taken back. Ask again whenever you like.")
    return redirect("agentversions:approval_detail", number)


@page(Permission.READ, "GET", "POST")
def approval_comment(request: HttpRequest, number: int) -> HttpResponse:
    """The form at a field or a line (`?path=&line=`, with `cancel` its empty place), and adding what it says.

    In place it answers with what stands there then, a plain form leads to the request's page; who may, the service
    knows.
    """
    found, actor = request_or_404(number), actor_of(request)
    if not may_comment(actor):
        raise PermissionDenied("This needs the Editor, Operator or Approver role. Ask an admin for it.")
    if request.method == "GET":
        is_open = "cancel" not in request.GET
        return _comment_form(request, found, CommentForm(initial=request.GET.dict()) if is_open else None)
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            row = comment(request=found, **form.cleaned_data, actor=actor)
        except RequestRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            if not wants_fragment(request):
                there = reverse("agentversions:approval_detail", args=[number])
                return HttpResponseRedirect(f"{there}#comment-{row.pk}")
            row.refresh_from_db()
            context = {"said": [show_comment(row, found)], "is_beside": row.line is not None}
            return render(request, f"{FRAGMENTS}/approval_remarks_here.html", context)
    return _comment_form(request, found, form) if wants_fragment(request) else _detail(request, found, remark=form)


def _comment_form(request: HttpRequest, found: ApprovalRequest, form: CommentForm | None) -> HttpResponse:
    path, line = (str(form[name].value() or "").replace("\x00", "") for name in ("path", "line")) if form else ("", "")
    label = label_of(path)
    if form and not label:
        raise Http404("There is no such field to comment on.")
    quoted = (
        lines_at(found, path)[int(line) - 1 : int(line)]
        if line.isascii() and line.isdecimal() and len(line) < 10
        else []
    )
    title = f"Comment on {label} of {found.version}"
    context = {"each": found, "form": form, "label": label, "quoted": "".join(quoted), "title": title}
    status = 422 if form and form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/approval_comment_form.html", context, status=status)


@page(Permission.APPROVE, "POST")
def rollback_review(request: HttpRequest, number: int) -> HttpResponse:
    """Says that a rollback was looked at."""
    review = RollbackReview.objects.filter(pk=number).first()
    if review is None:
        raise Http404("There is no such rollback.")
    try:
        review_rollback(review=review, note=request.POST.get("note", ""), actor=actor_of(request))
    except NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except Refused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "Noted: you have looked at this rollback.")
    return redirect("agentversions:approval_list")


def request_or_404(number: int) -> ApprovalRequest:
    """The request, or a 404 with words."""
    found = find_request(number)
    if found is None:
        raise Http404("There is no such request for approval.")
    return found


def _detail(
    request: HttpRequest,
    found: ApprovalRequest,
    *,
    decision: DecisionForm | None = None,
    remark: CommentForm | None = None,
) -> HttpResponse:
    context = {
        "shown": show_request(found, actor_of(request)),
        "decision": decision or DecisionForm(),
        "remark": remark or CommentForm(),
    }
    is_refused = bool(decision or (remark and remark.is_bound))
    return render(request, "agentversions/approval_detail.html", context, status=422 if is_refused else 200)
