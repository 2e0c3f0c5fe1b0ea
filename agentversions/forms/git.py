"""The forms of the page Git."""

from django import forms


class GitSourceForm(forms.Form):
    """Which repository is followed; what a value may be is the service's business."""

    address = forms.CharField(max_length=500, error_messages={"required": "Say where the repository is."})
    branch = forms.CharField(max_length=200, error_messages={"required": "Say which branch is followed."})
    folder = forms.CharField(max_length=200, required=False)
    write_branch = forms.CharField(max_length=200, required=False)
