"""The list of channels, adding one, and a channel's own settings."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import RoutesFrozen
from agentversions.views.access import actor_of, page
from channels.forms.channels import ChannelCreateForm, ChannelSettingsForm
from channels.services.channel_list import ANSWERS, SORTS, Wanted, list_channels
from channels.services.channels import change_channel, create_channel
from channels.services.choices import agents, answers_of
from channels.services.errors import ChannelRefused, RouteRefused
from config.htmx import done, fragment_or_page

from .access import channel_or_404, page_in, text_in

FRAGMENTS = "channels/fragments"


@page(Permission.READ)
def channel_list(request: HttpRequest) -> HttpResponse:
    """All channels; search, filters, sort and page are in the address."""
    version = text_in(request, "version").removeprefix("V").removeprefix("v")
    wanted = Wanted(
        text=text_in(request, "q"),
        agent=text_in(request, "agent"),
        answers=text_in(request, "answers") if text_in(request, "answers") in ANSWERS else "",
        version=int(version) if version.isdecimal() and len(version) < 9 else None,
        state=text_in(request, "state"),
        sort=text_in(request, "sort") if text_in(request, "sort") in SORTS else "number",
    )
    context = {
        "listed": list_channels(wanted, page=page_in(request)),
        "wanted": wanted,
        "agents": agents(),
        "answers": ANSWERS.items(),
    }
    return fragment_or_page(request, f"{FRAGMENTS}/channel_list_table.html", context, page="channels/channel_list.html")


@page(Permission.ROUTE, "GET", "POST")
def channel_create(request: HttpRequest) -> HttpResponse:
    """A new number or chat channel; afterwards its page opens."""
    form = ChannelCreateForm(request.POST or None, initial={"address": text_in(request, "number")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            channel = create_channel(
                kind=values["kind"],
                address=values["address"],
                label=values["label"],
                time_zone=values["time_zone"],
                plan=values["plan"],
                actor=actor_of(request),
            )
        except ChannelRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        except RouteRefused as refusal:
            form.add_error("answers", str(refusal))
        else:
            return redirect("channels:channel_detail", address=channel.address)
    agent = str(form["agent"].value() or "")
    context = {"form": form, "agents": agents(), "choices": answers_of(agent, str(form["answers"].value() or "draft"))}
    return render(request, "channels/channel_create.html", context, status=422 if form.is_bound else 200)


@page(Permission.READ)
def answer_choices(request: HttpRequest) -> HttpResponse:
    """The version dropdown of an agent, loaded again when the agent beside it changes."""
    context = {"choices": answers_of(text_in(request, "agent"), "draft")}
    return fragment_or_page(request, f"{FRAGMENTS}/answer_choices.html", context)


@page(Permission.ROUTE, "GET", "POST")
def channel_settings_dialog(request: HttpRequest, address: str) -> HttpResponse:
    """Label, time zone, on or off."""
    channel = channel_or_404(address)
    now = {"label": channel.label, "time_zone": channel.time_zone, "is_enabled": channel.is_enabled}
    form = ChannelSettingsForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            change_channel(channel=channel, **form.cleaned_data, actor=actor_of(request))
        except ChannelRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        except RoutesFrozen as refusal:
            form.add_error("reason", str(refusal))
        else:
            to = reverse("channels:channel_detail", args=[channel.address])
            return done(request, f"{channel} is saved.", to=to, event="channel-changed")
    context = {"channel": channel, "form": form, "title": channel.shown}
    status = 422 if form.is_bound else 200
    return fragment_or_page(request, f"{FRAGMENTS}/channel_settings_dialog.html", context, status=status)
