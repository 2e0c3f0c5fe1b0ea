"""The page Git: what is followed, how it is doing, what differs; for admins its settings and switches."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.forms.git import GitSourceForm
from agentversions.services.errors import Refused
from agentversions.services.git.errors import GitSettingRefused
from agentversions.services.git.health import read_health
from agentversions.services.git.queue import queue_sync
from agentversions.services.git.source import (
    SourceSettings,
    accept_rewritten,
    configure_source,
    find_source,
    require_running,
    resume_source,
    settings_of,
    suspend_source,
)
from config.htmx import done, fragment_or_page

from .access import actor_of, page

FRAGMENTS = "agentversions/fragments"
CHANGED = "git-changed"


@page(Permission.READ)
def git_page(request: HttpRequest) -> HttpResponse:
    """The repository, lag, last run and error, deliveries, and where agents differ from the branch."""
    health = read_health(find_source())
    context = {
        "health": health,
        "source": health.source,
        "webhook": f"{settings.PUBLIC_URL.rstrip('/')}{reverse('agentversions:git_webhook')}",
        "has_secret": bool(settings.GIT_SYNC_WEBHOOK_SECRETS),
    }
    return fragment_or_page(request, f"{FRAGMENTS}/git_state.html", context, page="agentversions/git_page.html")


@page(Permission.ADMINISTER, "GET", "POST")
def git_settings_dialog(request: HttpRequest) -> HttpResponse:
    """Asks which repository is followed; the first look follows at once."""
    current = settings_of(find_source())
    initial = vars(current) if current else {"branch": "main", "folder": "agents"}
    form = GitSourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            configure_source(wanted=SourceSettings(**form.cleaned_data), actor=actor_of(request))
        except GitSettingRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            queue_sync("settings")
            return done(request, "The repository is set; a first look follows.", to=_back(), event=CHANGED)
    context = {"form": form, "is_followed": current is not None, "title": "Repository"}
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/git_settings_dialog.html", context, status=status)


@page(Permission.ADMINISTER, "POST")
def git_sync_now(request: HttpRequest) -> HttpResponse:
    """Asks a worker for a look now; the page shows what it brings."""
    try:
        require_running()
        queue_sync("page")
        message = "A sync was asked for; this page shows what it brings."
    except Refused as refusal:
        message = str(refusal)
    return done(request, message, to=_back(), event=CHANGED)


@page(Permission.ADMINISTER, "GET", "POST")
def git_suspend_dialog(request: HttpRequest) -> HttpResponse:
    """Asks why, then stops reading and writing until somebody resumes."""
    if request.method == "POST":
        reason = request.POST.get("reason", "")[:2_000].replace("\x00", "")
        actor = actor_of(request)
        return _after(request, "The sync is suspended.", lambda: suspend_source(reason=reason, actor=actor))
    return fragment_or_page(request, f"{FRAGMENTS}/git_suspend_dialog.html", {"title": "Suspend the sync"})


@page(Permission.ADMINISTER, "POST")
def git_resume(request: HttpRequest) -> HttpResponse:
    """Goes on where it stopped."""

    def resume() -> None:
        resume_source(actor=actor_of(request))
        queue_sync("page")

    return _after(request, "The sync goes on.", resume)


@page(Permission.ADMINISTER, "POST")
def git_accept(request: HttpRequest) -> HttpResponse:
    """Goes on from the head of a rewritten branch that the admin saw."""

    def accept() -> None:
        accept_rewritten(head=request.POST.get("head", "")[:64], actor=actor_of(request))
        queue_sync("page")

    return _after(request, "The new head counts from now on.", accept)


def _after(request: HttpRequest, message: str, work: Callable[[], object]) -> HttpResponse:
    try:
        work()
    except Refused as refusal:
        message = str(refusal)
    return done(request, message, to=_back(), event=CHANGED)


def _back() -> str:
    return reverse("agentversions:git_page")
