"""The forms of a channel itself: adding one, its label, time zone, on or off."""

import zoneinfo
from typing import Any

import phonenumbers
from django import forms

from channels.core.routes import RoutePlan, single
from channels.models.channels import ChannelKind
from channels.services.channels import read_address
from channels.services.errors import ChannelRefused

from .routes import Row


def regions() -> list[tuple[str, str]]:
    """Regions with their calling code, for numbers typed in a national form."""
    known = sorted((region, phonenumbers.country_code_for_region(region)) for region in phonenumbers.SUPPORTED_REGIONS)
    return [("", "Number has its country (+33 …)"), *((region, f"{region} +{code}") for region, code in known)]


def time_zones() -> list[tuple[str, str]]:
    """The time zones of the world, UTC first."""
    named = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in named)]


class ChannelSettingsForm(forms.Form):
    """Label, time zone, on or off, and why."""

    label = forms.CharField(max_length=200, required=False, strip=True)
    time_zone = forms.ChoiceField(choices=time_zones)
    is_enabled = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=2_000, required=False, strip=True)


class ChannelCreateForm(forms.Form):
    """A number or a chat channel, and what answers it first."""

    kind = forms.ChoiceField(choices=ChannelKind.choices)
    address = forms.CharField(
        max_length=64,
        strip=True,
        error_messages={"required": "Type the number, or the key of the chat channel."},
    )
    region = forms.ChoiceField(choices=regions, required=False)
    label = forms.CharField(max_length=200, required=False, strip=True)
    time_zone = forms.ChoiceField(choices=time_zones)
    agent = forms.CharField(max_length=100, error_messages={"required": "Choose the agent that answers."})
    answers = forms.CharField(max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        """The stored form of the address, and the plan."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("address") and values.get("kind"):
            try:
                values["address"] = read_address(values["kind"], values["address"], values.get("region"))
            except ChannelRefused as refusal:
                self.add_error(refusal.field, str(refusal))
        if values.get("agent"):
            try:
                values["plan"] = self.plan(values)
            except ValueError as error:
                self.add_error("answers", str(error))
        return values

    @staticmethod
    def plan(values: dict[str, Any]) -> RoutePlan:
        """The plan that was chosen. Raises ValueError with a sentence."""
        return single(Row(agent=values["agent"], answers=values.get("answers") or "draft").target())
