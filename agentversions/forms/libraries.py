"""The forms of the libraries: a tool, a knowledge base with its documents, and what to pick."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import Json, Tool

METHODS = [(word, word) for word in ("POST", "GET", "PUT", "PATCH", "DELETE")]
RUNS_AS = [
    ("webhook", "Webhook: the platform calls an address"),
    ("client", "Client: your own code runs it"),
    ("built_in", "Built in: the platform does it itself"),
]


class JsonObjectField(forms.CharField):
    """A text area that holds a JSON object; what is wrong is said by line and column."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Json:
        """The object, {} when empty."""
        text = super().clean(value).strip() or "{}"
        try:
            parsed = parse(text)
        except NotCanonicalisable as error:
            raise ValidationError(str(error)) from error
        if not isinstance(parsed, dict):
            raise ValidationError("This must be a JSON object: { … }.")
        return parsed


class RevisionForm(forms.Form):
    """Base of both: the revision that was seen, and the library's own description."""

    seen = forms.IntegerField(min_value=0, required=False)
    library_description = forms.CharField(required=False, max_length=2_000)
    name = forms.CharField(max_length=200, error_messages={"required": "Give it a name."})


class ToolForm(RevisionForm):
    """A tool of the library in full."""

    description = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=RUNS_AS)
    endpoint = forms.CharField(required=False, max_length=2_000)
    method = forms.ChoiceField(choices=METHODS)
    headers = JsonObjectField(required=False)
    parameters = JsonObjectField(required=False)
    timeout_s = forms.FloatField()
    speech_while_running = forms.CharField(required=False)

    def content(self) -> Json:
        """The tool without its library link."""
        return {name: self.cleaned_data[name] for name in Tool.model_fields if name != "library"}


class KnowledgeForm(RevisionForm):
    """A knowledge base's name and retrieval settings; its documents are a set of `DocumentForm`."""

    top_k = forms.IntegerField()
    min_score = forms.FloatField()
    max_characters = forms.IntegerField()

    def content(self) -> Json:
        """The knowledge base without documents."""
        names = ("top_k", "min_score", "max_characters")
        return {
            "name": self.cleaned_data["name"],
            "retrieval": {name: self.cleaned_data[name] for name in names},
        }


class DocumentForm(forms.Form):
    """One document; an empty one is left out."""

    title = forms.CharField(required=False, max_length=200)
    text = forms.CharField(required=False, strip=False, widget=forms.Textarea)


DocumentSet = forms.formset_factory(DocumentForm, extra=1, can_delete=True, max_num=500)


class PickForm(forms.Form):
    """Which entries to copy, and the draft state the reader saw."""

    base = forms.CharField(max_length=64)
    pick = forms.MultipleChoiceField(error_messages={"required": "Pick at least one."})
