"""The form of making a version live and of rolling back."""

from django import forms


class LiveForm(forms.Form):
    """Why the version becomes live; rolling back needs it. `override_reason` is why it may although something is
    missing. `seen` is what was live when the dialog opened (0: none)."""

    reason = forms.CharField(max_length=2_000, required=False, strip=True)
    override_reason = forms.CharField(max_length=2_000, required=False, strip=True)
    seen = forms.IntegerField(min_value=0)
