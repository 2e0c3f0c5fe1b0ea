"""Brings a call into an evaluation suite: its conversation fills the form of a new case."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from agentversions.core.roles import Permission
from agentversions.forms.evaluations import CaseForm
from agentversions.models import EvaluationSuite
from agentversions.services.evaluations.cases import case_from_turns
from agentversions.views.access import REASONS, actor_of, page
from monitoring.services.call_page import find_call, read_call

NOTICE = (
    "A case is kept for ever, also when the caller is erased: take names, numbers and whatever else is personal out "
    "before you save it."
)


@page(Permission.LISTEN, "POST")
def call_case(request: HttpRequest) -> HttpResponse:
    """The form of a new case of a suite, filled with what was said; saving it is the second click."""
    actor = actor_of(request)
    if not actor.allows(Permission.EDIT):
        raise PermissionDenied(REASONS[Permission.EDIT])
    sender_id = request.POST.get("call", "")
    call = find_call(sender_id) if "\x00" not in sender_id else None
    suite = (
        EvaluationSuite.objects.active()
        .select_related("latest")
        .filter(slug=request.POST.get("suite", "").replace("\x00", ""))
        .first()
    )
    if call is None or suite is None:
        raise Http404("This call or this suite is not there any more. Go back and choose again.")
    detail = read_call(call=call, may_listen=True, actor=actor)
    if not detail.turns:
        raise Http404(f"This call has no transcript to make a case of. {detail.no_turns}")
    document = case_from_turns(detail.turns, name=f"Call {call.sender_id}", note=f"From the call {call.sender_id}.")
    context = {"suite": suite, "form": CaseForm.of(document), "name": "", "notice": NOTICE}
    return render(request, "agentversions/case_form.html", context)
