"""Comments on a request for approval: on all of it, on a field that differs, or on a line of its new text."""

from typing import Any

from django.db import transaction

from agentversions.core.paths import Step, UnknownPath, field_of, join, key_field, split
from agentversions.core.reading import write_document
from agentversions.core.roles import Permission
from agentversions.models import ApprovalComment, ApprovalRequest, User

from .audit import record
from .errors import NotAllowed, RequestRefused

MOST_TEXT = 10_000


def may_comment(actor: User) -> bool:
    """Whoever works on versions: editors, operators, approvers."""
    return any(actor.allows(one) for one in (Permission.EDIT, Permission.ROUTE, Permission.APPROVE))


@transaction.atomic
def comment(
    *, request: ApprovalRequest, text: str, path: str = "", line: int | None = None, actor: User
) -> ApprovalComment:
    """Say something, also after the request has ended. Raises NotAllowed, RequestRefused with the field."""
    if not may_comment(actor):
        raise NotAllowed("Only an editor, an operator or an approver comments.")
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > MOST_TEXT or "\x00" in text:
        raise RequestRefused(f"Write something, at most {MOST_TEXT:,} characters.", "text")
    if path:
        try:
            field_of(path)
        except UnknownPath as error:
            raise RequestRefused(str(error), "path") from error
    if line is not None:
        lines = lines_at(request, path)
        if not 1 <= line <= len(lines):
            raise RequestRefused(f"That text has {len(lines):,} lines. Name one of them, or leave it empty.", "line")
    row = ApprovalComment.objects.create(request=request, path=path, line=line, text=text, created_by=actor)
    record(
        action="approval commented",
        subject_kind="agent",
        subject=request.agent.slug,
        after={"request": request.pk, "comment": row.pk, "path": path, "line": line},
        actor=actor,
    )
    return row


def lines_at(request: ApprovalRequest, path: str) -> list[str]:
    """The lines of a text in the version that is asked for; none where the path holds no text."""
    value: Any = write_document(request.version.configuration.load())
    try:
        steps = split(path) if path else ()
    except UnknownPath:
        return []
    for index, step in enumerate(steps):
        value = _inside(value, step, key_field(join(steps[:index])))
    return value.split("\n") if isinstance(value, str) else []


def _inside(value: Any, step: Step, key: str | None) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    return next((one for one in value if one.get(key) == step.key), None) if isinstance(value, list) else None
