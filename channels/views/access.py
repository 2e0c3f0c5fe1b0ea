"""Finds what an address of Deploy names."""

from django.http import Http404, HttpRequest

from channels.models import Channel, Flag
from channels.services.channels import find_channel
from channels.services.errors import UnknownChannel, UnknownFlag
from channels.services.flags import find_flag


def channel_or_404(address: str) -> Channel:
    """The channel with its route, or a 404 that names it."""
    try:
        return find_channel(address)
    except UnknownChannel as error:
        raise Http404(str(error)) from error


def flag_or_404(key: str) -> Flag:
    """The flag with its agent, or a 404 that names it."""
    try:
        return find_flag(key)
    except UnknownFlag as error:
        raise Http404(str(error)) from error


def text_in(request: HttpRequest, name: str, longest: int = 200) -> str:
    """A text of the address, without NUL, which PostgreSQL refuses."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:longest]


def page_in(request: HttpRequest) -> int:
    """The page of a list that the address names; the first for anything else."""
    text = request.GET.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 7 else 1
