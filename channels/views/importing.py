"""Numbers from CSV: the file, what it would do, then doing exactly that."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agentversions.core.roles import Permission
from agentversions.views.access import actor_of, page
from channels.forms.channels import regions
from channels.services.channel_import import dry_run, import_channels, read_text
from channels.services.choices import agents
from channels.services.errors import ImportRefused

PAGE = "channels/channel_import.html"
MOST_SHOWN = 100


@page(Permission.ROUTE, "GET", "POST")
def channel_import(request: HttpRequest) -> HttpResponse:
    """The file or its text first; posted back with `confirm`, what was shown is done."""
    context: dict[str, object] = {"agents": agents(), "regions": regions(), "values": request.POST}
    if request.method != "POST":
        return render(request, PAGE, context)
    try:
        file = request.FILES.get("file")
        text = read_text(file.read()) if file else request.POST.get("text", "")
        run = dry_run(text, region=request.POST.get("region") or None, agent=request.POST.get("agent", ""))
        if request.POST.get("confirm") and run.new:
            count = import_channels(run=run, actor=actor_of(request))
            messages.success(request, f"{count:,} number{'s' if count != 1 else ''} added.")
            return redirect("channels:channel_list")
    except ImportRefused as refusal:
        return render(request, PAGE, {**context, "refusal": str(refusal)}, status=422)
    context |= {"run": run, "text": text, "new": run.new[:MOST_SHOWN], "refused": run.refused[:MOST_SHOWN]}
    return render(request, PAGE, context)
