"""From a draft into the library: the dialog that keeps a tool for other agents."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.reading import InvalidConfiguration
from agentversions.core.roles import Permission
from agentversions.forms.libraries import KeepForm
from agentversions.services.errors import NoSuchTool, Refused
from agentversions.services.library_keeping import keep_tool, prepare_keeping
from config.htmx import done, fragment_or_page

from .access import actor_of, agent_or_404, page


@page(Permission.EDIT, "GET", "POST")
def tool_keep_dialog(request: HttpRequest, slug: str) -> HttpResponse:
    """GET says what the library would get; POST saves the draft's tool there and links the two."""
    agent, name = agent_or_404(slug), request.GET.get("tool", "")
    try:
        keeping = prepare_keeping(agent.draft.load(), name)
    except NoSuchTool as error:
        raise Http404(str(error)) from error
    back = f"{reverse('agentversions:agent_editor', args=[slug])}?tab=tools"
    form, refusal = KeepForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            keep_tool(agent=agent, name=name, **form.cleaned_data, actor=actor_of(request))
        except (Refused, InvalidConfiguration) as error:
            refusal = str(error)
        else:
            return done(request, f"“{name}” is in the library now.", to=back, event="draft-changed")
    context = {
        "agent": agent,
        "keeping": keeping,
        "form": form,
        "back": back,
        "refusal": refusal,
        "title": "Save to the library",
    }
    status = 422 if request.method == "POST" else 200
    return fragment_or_page(request, "agentversions/fragments/tool_keep_dialog.html", context, status=status)
