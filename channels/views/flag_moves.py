"""What is done to a flag beside its form: the kill switch, putting it away, an earlier revision; and who has it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import ReasonMissing, RoutesFrozen
from agentversions.views.access import actor_of, page
from channels.core.flag_words import acts_on, gives
from channels.core.local_times import NotAMoment, read_moment
from channels.models import Channel, Flag, FlagRevision
from channels.services.channels import find_channel
from channels.services.errors import FlagRefused, UnknownChannel
from channels.services.flag_explain import ExplainedFlag, explain_flag
from channels.services.flag_history import list_history, words_of
from channels.services.flags import archive_flag, find_revision, newest_revision, save_flag, switch_flag
from config.htmx import done, fragment_or_page

from .access import flag_or_404, text_in

FRAGMENTS = "channels/fragments"


@page(Permission.ROUTE, "GET", "POST")
def flag_switch_dialog(request: HttpRequest, key: str) -> HttpResponse:
    """Asks why, and throws the kill switch, or lets the flag act again."""
    flag = flag_or_404(key)
    newest = newest_revision(flag)
    to_on = not newest.value.is_enabled
    errors: list[str] = []
    if request.method == "POST":
        # What the dialog said is done, even when somebody else was faster: then nothing changes.
        to_on = request.POST.get("to") == "on"
        try:
            switch_flag(flag=flag, is_enabled=to_on, reason=_reason(request), actor=actor_of(request))
        except (ReasonMissing, RoutesFrozen) as refusal:
            errors.append(str(refusal))
        else:
            words = "acts again" if to_on else "is switched off"
            return done(request, f"“{flag}” {words}: every call that begins now.", to=_page(flag), event="flag-changed")
    value = newest.value
    context = {
        "flag": flag,
        "value": value,
        "to_on": to_on,
        "off_words": gives(value, value.when_disabled),
        "acts_on": acts_on(value),
        "errors": errors,
        "reason": _reason(request),
        "title": f"Switch {flag}",
    }
    status = 422 if errors else 200
    return fragment_or_page(request, f"{FRAGMENTS}/flag_switch_dialog.html", context, status=status)


@page(Permission.ROUTE, "GET", "POST")
def flag_archive_dialog(request: HttpRequest, key: str) -> HttpResponse:
    """Puts a flag away, or brings it back."""
    flag = flag_or_404(key)
    to_archive = not newest_revision(flag).is_archived
    errors: list[str] = []
    if request.method == "POST":
        to_archive = request.POST.get("to") != "back"
        try:
            archive_flag(flag=flag, is_archived=to_archive, reason=_reason(request), actor=actor_of(request))
        except (FlagRefused, RoutesFrozen) as refusal:
            errors.append(str(refusal))
        else:
            words = "is archived" if to_archive else "is back and acts"
            return done(request, f"“{flag}” {words}.", to=_page(flag), event="flag-changed")
    context = {
        "flag": flag,
        "to_archive": to_archive,
        "errors": errors,
        "reason": _reason(request),
        "title": f"Archive {flag}" if to_archive else f"Bring back {flag}",
    }
    status = 422 if errors else 200
    return fragment_or_page(request, f"{FRAGMENTS}/flag_archive_dialog.html", context, status=status)


@page(Permission.READ)
def flag_history(request: HttpRequest, key: str) -> HttpResponse:
    """Every revision with what it changed, newest first."""
    flag = flag_or_404(key)
    below = text_in(request, "below", 8)
    history = list_history(flag, below=int(below) if below.isdecimal() else None)
    context = {"flag": flag, "history": history, "title": f"History of {flag}"}
    return fragment_or_page(request, f"{FRAGMENTS}/flag_history.html", context)


@page(Permission.ROUTE, "GET", "POST")
def flag_restore_dialog(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Shows what an earlier revision would change, and saves it as the newest one. The kill switch stays as it is."""
    flag = flag_or_404(key)
    earlier = find_revision(flag, number)
    if earlier is None:
        raise Http404(f"“{flag}” has no revision {number}.")
    errors: list[str] = []
    if request.method == "POST":
        reason = _reason(request) or f"Revision {number} again"
        try:
            saved = save_flag(
                flag=flag,
                value=earlier.value,
                description=earlier.description,
                reason=reason,
                actor=actor_of(request),
            )
        except (FlagRefused, RoutesFrozen) as refusal:
            errors.append(str(refusal))
        else:
            words = f"Revision {number} is back as revision {saved.number}."
            return done(request, words, to=_page(flag), event="flag-changed")
    newest = newest_revision(flag)
    context = {
        "flag": flag,
        "earlier": earlier,
        "changes": _without_switch(newest, earlier),
        "errors": errors,
        "reason": _reason(request),
        "title": f"Revision {number} of {flag}",
    }
    status = 422 if errors else 200
    return fragment_or_page(request, f"{FRAGMENTS}/flag_restore_dialog.html", context, status=status)


def _without_switch(newest: FlagRevision, earlier: FlagRevision) -> list[str]:
    return [words for words in words_of(newest, earlier) if words not in ("Switched on", "Switched off")]


@page(Permission.READ)
def flag_explain(request: HttpRequest, key: str) -> HttpResponse:
    """What the flag gives a caller on a number at a moment, rule by rule; nothing is recorded."""
    flag = flag_or_404(key)
    newest = newest_revision(flag)
    said, unreadable = _explain(request, newest)
    context = {
        "flag": flag,
        "value": newest.value,
        "said": said,
        "unreadable": unreadable,
        "title": f"Who has {flag}?",
    }
    return fragment_or_page(request, f"{FRAGMENTS}/flag_explain.html", context)


def _explain(request: HttpRequest, newest: FlagRevision) -> tuple[ExplainedFlag | None, str]:
    number, at = text_in(request, "channel", 64), text_in(request, "at", 40)
    try:
        channel: Channel | None = find_channel(number) if number else None
        moment = read_moment(at, channel.time_zone if channel else "UTC") if at else None
    except (UnknownChannel, NotAMoment) as error:
        return None, str(error)
    said = explain_flag(
        newest.value,
        channel=channel,
        caller=text_in(request, "caller", 1024) or None,
        call_id=text_in(request, "call_id", 256) or None,
        at=moment,
        is_archived=newest.is_archived,
    )
    return said, ""


def _page(flag: Flag) -> str:
    return reverse("channels:flag_detail", args=[flag.key])


def _reason(request: HttpRequest) -> str:
    """The reason that was typed, without NUL, which PostgreSQL refuses."""
    return request.POST.get("reason", "").replace("\x00", "").strip()[:2000]
