"""The forms of the agent list: create, duplicate, file, archive."""

from django import forms
from django.core.exceptions import ValidationError

from agentversions.starters import starters

NAME_MISSING = "Give the agent a name."
NAME_TOO_LONG = "The name is longer than 200 characters. Shorten it."
FOLDER_TOO_LONG = "The folder is longer than 200 characters. Shorten it."


class NameForm(forms.Form):
    """A form that asks for an agent's name."""

    name = forms.CharField(
        max_length=200, error_messages={"required": NAME_MISSING, "max_length": NAME_TOO_LONG}, strip=True
    )

    def clean_name(self) -> str:
        """The name, without control characters (PostgreSQL refuses NUL)."""
        name: str = self.cleaned_data["name"]
        if any(ord(character) < 32 for character in name):
            raise ValidationError("The name holds a control character. Remove it.")
        return name


class FolderForm(forms.Form):
    """A form that asks for a folder such as `Support/Billing`; empty is the top."""

    folder = forms.CharField(max_length=200, required=False, error_messages={"max_length": FOLDER_TOO_LONG}, strip=True)

    def clean_folder(self) -> str:
        """The folder with single slashes and no spaces around them."""
        folder: str = self.cleaned_data["folder"]
        return "/".join(part.strip() for part in folder.split("/") if part.strip())


class AgentCreateForm(NameForm, FolderForm):
    """Name, folder, and what to start from."""

    starter = forms.ChoiceField(
        choices=lambda: [(each.key, each.label) for each in starters()],
        error_messages={"required": "Choose what to start from.", "invalid_choice": "Choose what to start from."},
    )


class AgentDuplicateForm(NameForm, FolderForm):
    """The copy's name and folder."""


class AgentArchiveForm(forms.Form):
    """Why the agent is put away."""

    reason = forms.CharField(max_length=2_000, required=False, strip=True)
