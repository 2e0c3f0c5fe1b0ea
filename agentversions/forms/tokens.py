"""The form of a new API token."""

from django import forms

from agentversions.models.people import ROLE_CHOICES, SCOPE_CHOICES


class TokenForm(forms.Form):
    """What the token is for, what it may do, and for how long."""

    name = forms.CharField(max_length=100, error_messages={"required": "Say what uses the token."})
    role = forms.ChoiceField(choices=ROLE_CHOICES, error_messages={"required": "Choose a role."})
    scopes = forms.MultipleChoiceField(choices=SCOPE_CHOICES, error_messages={"required": "Choose at least one scope."})
    days = forms.IntegerField(min_value=1, max_value=3_650, required=False)
