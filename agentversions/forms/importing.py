"""The forms of the import page: what to read, then where it goes."""

import base64
import binascii
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .agents import FolderForm, NameForm

MAX_UPLOAD = 8_000_000
PASTED = "Pasted agent"


class ImportForm(forms.Form):
    """A file or a pasted text; either becomes `file_name` and `content` (bytes)."""

    file = forms.FileField(required=False, allow_empty_file=True, max_length=200)
    text = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two. A browser sends pasted line ends as CRLF whatever they were, so LF is restored."""
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text") or ""
        if file is None and not text.strip():
            raise ValidationError("Choose a file, or paste a text.")
        if file is not None and text.strip():
            raise ValidationError("There is a file and a pasted text. Take one of them out.")
        if file is not None and file.size > MAX_UPLOAD:
            raise ValidationError(
                f"The file has {file.size / 1e6:.0f} MB; this page takes {MAX_UPLOAD / 1e6:.0f} MB. "
                "Larger ones go through `manage.py import_agent`."
            )
        if file is not None:
            return {"file_name": file.name, "content": file.read()}
        return {"file_name": PASTED, "content": text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")}


class ImportTargetForm(NameForm, FolderForm):
    """The document again (it travels with the page, so that nothing waits on the server), and where it goes."""

    file_name = forms.CharField(max_length=500)
    content = forms.CharField(required=False)
    target = forms.SlugField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False

    def clean_content(self) -> bytes:
        """The document's bytes."""
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError("The document was damaged on its way. Import it again.") from error
