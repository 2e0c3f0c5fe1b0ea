"""What the lists of calls and of audit entries share: their words, and the answer to an address that cannot be read."""

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpResponse
from pydantic import Field

from agentversions.api.problems import problem
from monitoring.core.page_key import read_key

Word = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


def refuse_list(problems: Sequence[tuple[str, str]], before: str) -> HttpResponse | None:
    """The problem document where a filter (its name, a sentence) or the page's key cannot be read; else None."""
    if problems:
        errors = [{"path": name, "detail": sentence} for name, sentence in problems]
        return problem("invalid", " ".join(sentence for _, sentence in problems), errors=errors)
    if before and read_key(before) is None:
        return problem("invalid", "“before” is not as a list gave it. Use the address in “next”.")
    return None
