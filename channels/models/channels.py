"""Channels: phone numbers and chat channels, each a pointer to a route; its history says who moved it, when and why."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from agentversions.models import User
from agentversions.models.agents import PointerHistory, protect_history
from agentversions.models.database import READ_APPEND_AND_CHANGE
from channels.core.phone_numbers import shown

from .routes import Route


class ChannelKind(models.TextChoices):
    """What people reach an agent through."""

    PHONE = "phone", "Phone number"
    CHAT = "chat", "Chat channel"


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Channels in the words of their pages."""

    def with_route(self) -> "ChannelQuerySet":
        """With the route and who set it, in the same query."""
        return self.select_related("route", "route_changed_by")


class Channel(models.Model):
    """A phone number (E.164) or a chat channel (its key), and what answers it. Never deleted, only switched off."""

    database_privileges = READ_APPEND_AND_CHANGE

    kind = models.CharField(max_length=10, choices=ChannelKind.choices)
    address = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=200, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    is_enabled = models.BooleanField(default=True)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="channels")
    route_changed_at = models.DateTimeField(db_default=Now())
    route_changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[Any] = ChannelQuerySet.as_manager()
    history: ClassVar[Any] = HistoricalRecords(
        bases=[PointerHistory],
        history_change_reason_field=models.TextField(blank=True, default=""),
        excluded_fields=["route_changed_at", "route_changed_by", "created_at", "created_by"],
    )

    class Meta:
        ordering = ["address"]
        # The list by label, and by what was changed last.
        indexes = [
            models.Index(fields=["label", "address"], name="channel_by_label"),
            models.Index(fields=["-route_changed_at", "address"], name="channel_by_change"),
        ]
        constraints = [
            models.CheckConstraint(
                name="channel_address_fits_its_kind",
                condition=Q(kind="phone", address__regex=r"^\+[1-9][0-9]{4,14}$")
                | Q(kind="chat", address__regex=r"^[a-z][a-z0-9-]{0,63}$"),
            )
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """The number as people read it, or the chat channel's key."""
        return shown(self.address) if self.kind == ChannelKind.PHONE else self.address


protect_history(Channel.history.model)
