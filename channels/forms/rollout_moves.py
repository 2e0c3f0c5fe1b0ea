"""The form of a rollout's move."""

from django import forms


class RolloutMoveForm(forms.Form):
    """Why; and the newest move that the dialog showed (0: none yet)."""

    reason = forms.CharField(max_length=2_000, required=False, strip=True)
    seen = forms.IntegerField(min_value=0)
