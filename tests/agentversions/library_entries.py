"""Entries of the libraries as tests make them, and what their forms send."""

from typing import Any

from agentversions.models import LibraryEntry, User
from agentversions.services.libraries import create_entry
from tests.factories import make_user

TOOL, KNOWLEDGE = LibraryEntry.Kind.TOOL, LibraryEntry.Kind.KNOWLEDGE_BASE
SMS = {"name": "send_sms", "description": "Sends a text", "endpoint": "https://sms.example.com/"}
FORM = {
    "seen": "1", "name": "send_sms", "description": "Sends", "kind": "webhook", "method": "POST", "timeout_s": "9",
    "endpoint": "https://sms.example.com/", "headers": "{}", "parameters": "{}", "library_description": "Texts",
}  # fmt: skip
FAQ = {
    "seen": "0", "name": "FAQ", "top_k": "5", "min_score": "0", "max_characters": "4000",
    "documents-TOTAL_FORMS": "1", "documents-INITIAL_FORMS": "0",
    "documents-0-title": "Parking", "documents-0-text": "Behind the house.\r\n ",
}  # fmt: skip


def entry_of(kind: str, actor: User | None = None, /, **content: Any) -> LibraryEntry:
    return create_entry(kind=kind, content=content, actor=actor or make_user())
