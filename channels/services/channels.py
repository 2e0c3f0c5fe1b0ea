"""Making and changing channels; what answers them is in `routes`."""

import re
import zoneinfo

from django.db import IntegrityError, transaction

from agentversions.models import Agent, User
from agentversions.services.audit import record
from agentversions.services.freezes import refuse_frozen
from channels.core.phone_numbers import NotANumber, read_number, shown
from channels.core.routes import RoutePlan
from channels.models import Channel, RouteTarget
from channels.models.channels import ChannelKind

from .errors import ChannelRefused, UnknownChannel
from .routes import lock_channel, store_route

CHAT_KEY = re.compile(r"[a-z][a-z0-9-]{0,63}")
RESERVED_KEYS = frozenset({"new", "import", "choices", "fleet", "missed", "schedule", "batches"})
"""Keys that are addresses of pages."""


def read_address(kind: str, text: str, region: str | None = None) -> str:
    """The stored form of a number (any national form, with its region) or of a chat key. Raises ChannelRefused."""
    if kind == ChannelKind.CHAT:
        if not CHAT_KEY.fullmatch(text) or text in RESERVED_KEYS:
            raise ChannelRefused(
                "A chat channel's key has small letters, digits and hyphens, and starts with a letter.", "address"
            )
        return text
    try:
        return read_number(text, region or None)
    except NotANumber as error:
        raise ChannelRefused(str(error), "address") from error


def find_channel(address: str) -> Channel:
    """The channel of a number in any international form or of a chat key, with its route. Raises UnknownChannel."""
    exact: Channel | None = Channel.objects.with_route().filter(address=address).first()
    if exact is None and not CHAT_KEY.fullmatch(address):
        try:
            exact = Channel.objects.with_route().filter(address=read_number(address)).first()
        except NotANumber as error:
            raise UnknownChannel(str(error)) from error
    if exact is None:
        raise UnknownChannel(f"There is no channel {shown(address)}. Add it under Channels first.")
    return exact


@transaction.atomic
def create_channel(
    *,
    kind: str = ChannelKind.PHONE,
    address: str,
    region: str | None = None,
    label: str = "",
    time_zone: str = "UTC",
    plan: RoutePlan,
    reason: str = "Added",
    actor: User,
) -> Channel:
    """A new channel that answers with this plan. Raises ChannelRefused or RouteRefused."""
    channel = Channel(
        kind=kind,
        address=read_address(kind, address, region),
        label=read_label(label),
        time_zone=read_time_zone(time_zone),
        route=store_route(plan),
        route_changed_by=actor,
        created_by=actor,
    )
    channel._history_user = actor  # type: ignore[attr-defined]
    channel._change_reason = reason  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
    except IntegrityError as error:
        raise ChannelRefused(f"{channel} is there already. Open it to change what answers it.", "address") from error
    channel.refresh_from_db()
    record(
        action="channel added",
        subject_kind="channel",
        subject=channel.address,
        reason=reason,
        after={"route": str(channel.route)},
        actor=actor,
    )
    return channel


@transaction.atomic
def change_channel(
    *,
    channel: Channel,
    label: str | None = None,
    time_zone: str | None = None,
    is_enabled: bool | None = None,
    reason: str = "",
    actor: User,
) -> Channel:
    """Change what is given: label, time zone, on or off. Raises ChannelRefused, and RoutesFrozen for on and off."""
    locked = lock_channel(channel)
    wanted = {
        "label": None if label is None else read_label(label),
        "time_zone": None if time_zone is None else read_time_zone(time_zone),
        "is_enabled": is_enabled,
    }
    changed = {name: value for name, value in wanted.items() if value is not None and value != getattr(locked, name)}
    if not changed:
        return locked
    if "is_enabled" in changed:
        refuse_frozen(reason=reason, actor=actor)
    before = {name: getattr(locked, name) for name in changed}
    for name, value in changed.items():
        setattr(locked, name, value)
    locked._history_user = actor  # type: ignore[attr-defined]
    locked._change_reason = reason.strip()  # type: ignore[attr-defined]
    locked.save(update_fields=list(changed))
    switched = {True: "channel switched on", False: "channel switched off"}
    record(
        action=switched[locked.is_enabled] if "is_enabled" in changed else "channel changed",
        subject_kind="channel",
        subject=locked.address,
        reason=reason.strip(),
        before=before,
        after=changed,
        actor=actor,
    )
    return locked


def uses_of_agent(agent: Agent) -> list[str]:
    """Which channels an agent answers, in words, at most 20 of them: what keeps it from being archived."""
    routes = RouteTarget.objects.filter(agent=agent).values("route_id")
    channels = Channel.objects.with_route().filter(route_id__in=routes).order_by("address")[:20]
    return [f"{channel}: {channel.route}" for channel in channels]


def read_label(text: str) -> str:
    """A label with single spaces. Raises ChannelRefused."""
    label = " ".join(text.split())
    if len(label) > 200 or "\x00" in label:
        raise ChannelRefused("The label has more than 200 characters, or one that cannot be stored.", "label")
    return label


def read_time_zone(name: str) -> str:
    """A time zone of the world. Raises ChannelRefused."""
    if name not in zoneinfo.available_timezones():
        raise ChannelRefused(f"There is no time zone “{name[:40]}”. Choose one such as Europe/Paris.", "time_zone")
    return name
