"""The forms of the publish and the restore dialog. The sentences about names and descriptions come from the core."""

from django import forms
from django.core.exceptions import ValidationError

from agentversions.core.digest import DIGEST_PATTERN
from agentversions.core.version_words import description_error, name_error, one_line

INCOMPLETE = "This form is incomplete. Open the dialog again."


class DraftSeenForm(forms.Form):
    """Base of forms that act on the draft: `expected` is the digest that the reader saw."""

    expected = forms.RegexField(
        regex=f"^{DIGEST_PATTERN.pattern}$", error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE}
    )


class PublishForm(DraftSeenForm):
    """Name and description of the new version, and the newest version's number that the publisher saw (0: none)."""

    name = forms.CharField(required=False)
    description = forms.CharField(required=False)
    latest_seen = forms.IntegerField(min_value=0, error_messages={"required": INCOMPLETE, "invalid": INCOMPLETE})
    publish_identical = forms.BooleanField(required=False)

    def clean_name(self) -> str:
        """The name as it is stored, or the sentence that says why not."""
        return _name_or_error(self.cleaned_data["name"])

    def clean_description(self) -> str:
        """The description, or the sentence that says why not."""
        description: str = self.cleaned_data["description"].replace("\r\n", "\n")
        if error := description_error(description):
            raise ValidationError(error)
        return description


class RestoreForm(DraftSeenForm):
    """Whether the draft becomes a version before it is replaced, and under which name."""

    publish_first = forms.BooleanField(required=False)
    publish_first_name = forms.CharField(required=False)

    def clean_publish_first_name(self) -> str:
        """The name as it is stored; only asked for when something is published."""
        name: str = self.cleaned_data["publish_first_name"]
        return _name_or_error(name) if self.cleaned_data["publish_first"] else ""

    @property
    def publish_first_as(self) -> str | None:
        """The name of the version to publish first, None when nothing is."""
        return self.cleaned_data["publish_first_name"] if self.cleaned_data["publish_first"] else None


def _name_or_error(name: str) -> str:
    if error := name_error(name):
        raise ValidationError(error)
    return one_line(name)
