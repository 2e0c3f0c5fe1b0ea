"""Flags: the list, a new one, the page of one with its form."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.models import Agent
from agentversions.services.errors import RoutesFrozen
from agentversions.views.access import actor_of, agent_or_404, page
from channels.core.flag_words import TYPES, gives, rule_words
from channels.forms.flags import FlagForm
from channels.models import FlagRevision
from channels.services.choices import agents
from channels.services.errors import FlagMoved, FlagRefused
from channels.services.flag_callers import masked_callers
from channels.services.flag_checking import warnings_of
from channels.services.flag_history import list_history, words_of
from channels.services.flag_list import (
    PER_PAGE,
    ListedFlag,
    WantedFlags,
    flags_of_agent,
    list_flags,
    list_stale,
    with_marks,
)
from channels.services.flags import create_flag, find_revision, newest_revision, save_flag
from config.htmx import fragment_or_page, go_to

from .access import flag_or_404, page_in, text_in

FRAGMENTS = "channels/fragments"


@page(Permission.READ)
def flag_list(request: HttpRequest) -> HttpResponse:
    """All flags; search and filters are in the address."""
    wanted = WantedFlags(
        text=text_in(request, "q"),
        agent=text_in(request, "agent"),
        type=text_in(request, "type"),
        state=text_in(request, "state"),
    )
    found = list_flags(wanted)
    number = min(page_in(request), max((len(found) - 1) // PER_PAGE + 1, 1))
    context = {
        "flags": with_marks(found[(number - 1) * PER_PAGE : number * PER_PAGE]),
        "count": len(found),
        "number": number,
        "next_page": number + 1 if number * PER_PAGE < len(found) else None,
        "wanted": wanted,
        "agents": agents(),
        "types": TYPES.items(),
    }
    return fragment_or_page(request, f"{FRAGMENTS}/flag_list_table.html", context, page="channels/flag_list.html")


@page(Permission.READ)
def flag_stale(request: HttpRequest) -> HttpResponse:
    """The flags that have done their work, each with what to do about it."""
    context = {"flags": list_stale(), "is_stale_list": True, "title": "Flags that could go"}
    return fragment_or_page(request, f"{FRAGMENTS}/flag_list_table.html", context, page="channels/flag_stale.html")


@page(Permission.READ)
def agent_flags(request: HttpRequest, slug: str) -> HttpResponse:
    """How many flags act on an agent; its page and its version panel load it."""
    agent = agent_or_404(slug)
    context = {"agent": agent, "flags": flags_of_agent(agent), "title": f"Flags on {agent}"}
    return fragment_or_page(request, f"{FRAGMENTS}/agent_flags.html", context)


@page(Permission.ROUTE, "GET", "POST")
def flag_new(request: HttpRequest) -> HttpResponse:
    """A new flag; afterwards its page opens. A POST saves, or changes the form (with scripts on or off)."""
    actor = actor_of(request)
    if request.method != "POST":
        form = FlagForm(None, actor=actor)
        form.agent = text_in(request, "agent")
        return _show_new(request, form)
    form = FlagForm(None, actor=actor, data=request.POST)
    step = request.POST.get("step", "save")
    if step != "save":
        form.take_step(step)
        return _show_new(request, form, step=step)
    typed = form.typed()
    if typed is not None:
        try:
            revision = create_flag(
                value=typed.value,
                description=typed.description,
                callers=typed.callers,
                reason=form.reason,
                actor=actor,
            )
        except FlagRefused as refusal:
            form.refuse(refusal)
        except RoutesFrozen as refusal:
            form.errors.append(str(refusal))
        else:
            messages.success(request, f"“{revision.flag}” is made: it acts now.")
            return go_to(request, reverse("channels:flag_detail", args=[revision.flag.key]))
    return _show_new(request, form, status=422)


def _show_new(request: HttpRequest, form: FlagForm, *, status: int = 200, step: str = "") -> HttpResponse:
    form.look_at(Agent.objects.filter(slug=form.agent).first() if form.agent else None)
    context = {"form": form, "agents": agents(), "address": reverse("channels:flag_new"), "step": step}
    return fragment_or_page(
        request, f"{FRAGMENTS}/flag_form.html", context, page="channels/flag_new.html", status=status
    )


@page(Permission.READ, "GET", "POST", write=Permission.ROUTE)
def flag_detail(request: HttpRequest, key: str) -> HttpResponse:
    """What a flag does, with the form; a POST saves, or changes the form (with scripts on or off)."""
    flag, actor = flag_or_404(key), actor_of(request)
    newest = newest_revision(flag)
    if request.method != "POST":
        # Who may not save gets no form: then no list of callers is read.
        form = FlagForm(newest, actor=actor) if actor.allows(Permission.ROUTE) else None
        return _show(request, newest, form)
    base = find_revision(flag, _number(request, "base")) or newest
    form = FlagForm(base, actor=actor, data=request.POST)
    step = request.POST.get("step", "save")
    if step != "save":
        form.take_step(step)
        return _show(request, newest, form, step=step)
    typed = form.typed()
    if typed is None:
        return _show(request, newest, form, status=422)
    try:
        saved = save_flag(
            flag=flag,
            value=typed.value,
            description=typed.description,
            callers=typed.callers,
            seen=_number(request, "seen"),
            reason=form.reason,
            actor=actor,
        )
    except FlagMoved as moved:
        return _show(request, moved.revision, form, status=409, moved=moved)
    except FlagRefused as refusal:
        form.refuse(refusal)
        return _show(request, newest, form, status=422)
    except RoutesFrozen as refusal:
        form.errors.append(str(refusal))
        return _show(request, newest, form, status=422)
    same = saved.number == newest.number
    messages.success(request, "Nothing was changed." if same else f"Saved as revision {saved.number}.")
    return go_to(request, reverse("channels:flag_detail", args=[flag.key]))


def _show(
    request: HttpRequest,
    newest: FlagRevision,
    form: FlagForm | None,
    *,
    status: int = 200,
    moved: FlagMoved | None = None,
    step: str = "",
) -> HttpResponse:
    flag = newest.flag
    if form is not None:
        form.look_at(flag.agent)
    base = form.base if form else None
    context = {
        **now_context(newest),
        "form": form,
        "moved": moved,
        "their_changes": words_of(base, newest) if moved and base else (),
        # A refused or changed form goes on from what was seen; only a conflict that was shown moves that on.
        "seen": newest.number if moved else _number(request, "seen") or newest.number,
        "address": reverse("channels:flag_detail", args=[flag.key]),
        "history": list_history(flag),
        "step": step,
    }
    return fragment_or_page(
        request, f"{FRAGMENTS}/flag_form.html", context, page="channels/flag_detail.html", status=status
    )


@page(Permission.READ)
def flag_now(request: HttpRequest, key: str) -> HttpResponse:
    """What a flag does at this moment, in words."""
    newest = newest_revision(flag_or_404(key))
    return fragment_or_page(request, f"{FRAGMENTS}/flag_now.html", {**now_context(newest), "title": newest.flag.key})


def now_context(newest: FlagRevision) -> dict[str, object]:
    """What the page says of a flag as it stands now."""
    (listed,) = with_marks([ListedFlag(newest)])
    value = listed.value
    rules = []
    for rule in value.rules:
        callers = masked_callers(rule.callers) if rule.callers else ()
        words = {"name": rule.name, "words": rule_words(rule), "gives": gives(value, rule.gives)}
        rules.append({**words, "callers": callers, "more": len(rule.callers) - len(callers) if callers else 0})
    return {
        "flag": newest.flag,
        "revision": newest,
        "listed": listed,
        "value": value,
        "rules": rules,
        "default_words": gives(value, value.default),
        "off_words": gives(value, value.when_disabled),
        "warnings": () if newest.is_archived else warnings_of(value),
    }


def _number(request: HttpRequest, name: str) -> int:
    """A number of the form, 0 for anything else: no revision has it."""
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else 0
