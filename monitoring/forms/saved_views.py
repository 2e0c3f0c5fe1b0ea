"""The form of a saved view."""

from django import forms

NAME_MISSING = "Give the view a name, such as “Errors of V7”."
NAME_TOO_LONG = "The name is longer than 60 characters. Shorten it."


class ViewForm(forms.Form):
    """A name, who sees it, and the filters' address; `update` keeps these filters in a view that has others."""

    name = forms.CharField(
        max_length=60, strip=True, error_messages={"required": NAME_MISSING, "max_length": NAME_TOO_LONG}
    )
    is_shared = forms.BooleanField(required=False)
    update = forms.BooleanField(required=False)
    query = forms.CharField(max_length=10_000, required=False)
