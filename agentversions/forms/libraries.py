"""The forms of the libraries: a tool, and a knowledge base with its documents."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from agentversions.core.canonical_json import NotCanonicalisable, parse
from agentversions.core.configuration import Json, Tool

MAX_DOCUMENTS = 200
NUMBER = "Type a number such as 12 or 0.5."
WHOLE_NUMBER = "Type a whole number."
TOTAL = re.compile(r"[0-9]{1,4}", re.ASCII)
METHODS = [(word, word) for word in ("POST", "GET", "PUT", "PATCH", "DELETE")]
RUNS_AS = [
    ("webhook", "Webhook: the platform calls an address"),
    ("client", "Client: your own code runs it"),
    ("built_in", "Built in: the platform does it itself"),
]


def too_long(what: str, limit: int) -> dict[str, str]:
    """The sentence for a text over its limit."""
    return {"max_length": f"The {what} is longer than {limit:,} characters. Shorten it."}


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
    library_description = forms.CharField(
        required=False, max_length=2_000, error_messages=too_long("description", 2_000)
    )
    name = forms.CharField(
        max_length=200, error_messages={"required": "Give it a name.", **too_long("name", 200)}, strip=True
    )


class ToolForm(RevisionForm):
    """A tool of the library in full."""

    description = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=RUNS_AS)
    endpoint = forms.CharField(required=False, max_length=2_000, error_messages=too_long("address", 2_000))
    method = forms.ChoiceField(choices=METHODS)
    headers = JsonObjectField(
        required=False,
        help_text="A JSON object. Secrets only as {{secret:NAME}}: the voice platform fills them in.",
    )
    parameters = JsonObjectField(required=False)
    timeout_s = forms.FloatField(error_messages={"required": NUMBER, "invalid": NUMBER})
    speech_while_running = forms.CharField(required=False)

    def content(self) -> Json:
        """The tool without its library link."""
        content = {name: self.cleaned_data[name] for name in Tool.model_fields if name != "library"}
        return {**content, "description": content["description"].replace("\r\n", "\n")}


class KnowledgeForm(RevisionForm):
    """A knowledge base's name and retrieval settings; its documents are a set of `DocumentForm`."""

    top_k = forms.IntegerField(error_messages={"required": WHOLE_NUMBER, "invalid": WHOLE_NUMBER})
    min_score = forms.FloatField(error_messages={"required": NUMBER, "invalid": NUMBER})
    max_characters = forms.IntegerField(error_messages={"required": WHOLE_NUMBER, "invalid": WHOLE_NUMBER})

    def content(self) -> Json:
        """The knowledge base without documents."""
        names = ("top_k", "min_score", "max_characters")
        return {"name": self.cleaned_data["name"], "retrieval": {name: self.cleaned_data[name] for name in names}}


class KeepForm(forms.Form):
    """The draft state the reader saw, and what the library says about a tool that is new to it."""

    base = forms.CharField(max_length=64, required=False)
    description = forms.CharField(required=False, max_length=2_000, error_messages=too_long("description", 2_000))


class DocumentForm(forms.Form):
    """One document; an empty one is left out."""

    title = forms.CharField(required=False, max_length=200, error_messages=too_long("title", 200))
    text = forms.CharField(required=False, strip=False, widget=forms.Textarea)


class BaseDocumentSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic while it runs
    """The documents of a knowledge base, in their order."""

    default_error_messages = {
        "too_many_forms": f"A knowledge base holds up to {MAX_DOCUMENTS} documents. Split it into two.",
        "missing_management_form": "This form is incomplete. Load the page again.",
    }


DocumentSet = forms.formset_factory(
    DocumentForm, BaseDocumentSet, extra=1, can_delete=True, max_num=MAX_DOCUMENTS, validate_max=True
)


def documents_in(forms_of_documents: "forms.BaseFormSet[Any]") -> list[Json]:
    """The documents that stay, as they are stored; one without a title is called Untitled."""
    return [
        {"title": each["title"] or "Untitled", "text": each["text"].replace("\r\n", "\n")}
        for each in forms_of_documents.cleaned_data
        if each and not each.get("DELETE") and (each["title"] or each["text"].strip())
    ]


def with_one_more_document(sent: QueryDict) -> QueryDict:
    """What was sent, with room for one more document."""
    grown = sent.copy()
    total = sent.get("documents-TOTAL_FORMS", "")
    grown["documents-TOTAL_FORMS"] = str(min(int(total) + 1, MAX_DOCUMENTS)) if TOTAL.fullmatch(total) else "1"
    return grown
