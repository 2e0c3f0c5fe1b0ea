"""The forms of planned changes and of freeze windows: moments typed in a time zone."""

from datetime import datetime
from typing import Any

from django import forms

from channels.core.local_times import NotAMoment, read_moment

from .channels import time_zones


class MomentsForm(forms.Form):
    """A form with a time zone and moments that are typed in it; `moments` names their fields."""

    moments: tuple[str, ...] = ()
    time_zone = forms.ChoiceField(choices=time_zones)

    def clean(self) -> dict[str, Any]:
        """Each moment that was typed, with its zone; None where the field is empty."""
        values: dict[str, Any] = super().clean() or {}
        for name in self.moments:
            if "time_zone" in values and name in values:
                values[name] = self._read(name, values[name], values["time_zone"])
        return values

    def _read(self, name: str, text: str, zone: str) -> datetime | None:
        if not text:
            return None
        try:
            return read_moment(text, zone)
        except NotAMoment as error:
            self.add_error(name, str(error))
            return None


class LaterForm(MomentsForm):
    """When a change happens, and when it is taken back (or never)."""

    moments = ("at", "back_at")
    at = forms.CharField(max_length=40, error_messages={"required": "Choose the day and time of the change."})
    back_at = forms.CharField(max_length=40, required=False)
    reason = forms.CharField(max_length=2_000, required=False, strip=True)


class FreezeForm(MomentsForm):
    """What a freeze is for, and from when to when."""

    moments = ("starts_at", "ends_at")
    occasion = forms.CharField(
        max_length=200, strip=True, error_messages={"required": "Say what the freeze is for, such as Christmas."}
    )
    starts_at = forms.CharField(max_length=40, error_messages={"required": "Choose when it starts."})
    ends_at = forms.CharField(max_length=40, error_messages={"required": "Choose when it ends."})
