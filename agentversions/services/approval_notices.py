"""E-mail about approvals and about what is live, sent by a worker after the change is in the database.

Each recipient is a job of its own, so that one that fails is tried again alone.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse

from agentversions.core.roles import PERMISSIONS, Permission
from agentversions.models import AgentVersion, ApprovalRequest, Deployment, User
from config.background import defer

REQUEST_TASK = "agentversions.send_approval_mail"
LIVE_TASK = "agentversions.send_live_mail"
ASKED, APPROVED, CHANGES = "asked", "approved", "changes"
LIVE, ROLLED_BACK = "live", "rolled back"


def approvers() -> Any:
    """Everybody who may approve, as a query."""
    roles = [role.value for role, allowed in PERMISSIONS.items() if Permission.APPROVE in allowed]
    return User.objects.filter(Q(is_superuser=True) | Q(roles__overlap=roles), is_active=True).order_by("pk")


def tell_approvers(request: ApprovalRequest) -> None:
    """Somebody asks: everybody who may approve it hears of it."""
    people = approvers().exclude(pk__in=[request.version.created_by_id, request.created_by_id])
    _tell(REQUEST_TASK, people, kind=ASKED, request=request.pk)


def tell_asker(request: ApprovalRequest, kind: str, *, actor: User) -> None:
    """It was approved, or changes were asked for: who wrote the version and who asked hear of it."""
    people = {person.pk: person for person in (request.version.created_by, request.created_by)}
    _tell(REQUEST_TASK, [one for one in people.values() if one.pk != actor.pk], kind=kind, request=request.pk)


def tell_author(deployment: Deployment, before: AgentVersion | None) -> None:
    """A version went live, or was taken back: whoever published it hears of it, unless they did it themselves."""
    told: list[tuple[str, AgentVersion]] = [(LIVE, deployment.version)]
    if deployment.is_rollback and before is not None and before != deployment.version:
        told.append((ROLLED_BACK, before))
    for kind, version in told:
        if version.created_by_id != deployment.created_by_id:
            _tell(LIVE_TASK, [version.created_by], kind=kind, deployment=deployment.pk, version=version.pk)


def send_approval_mail(*, request: int, kind: str, to: int) -> None:
    """Tell one person about a request. Raises OSError or SMTPException when the server does not take it."""
    found: ApprovalRequest = ApprovalRequest.objects.with_names().get(pk=request)
    version, agent = found.version, found.agent
    said = [f"{row.person}: {row.note}" for row in found.decisions.select_related("person") if row.note]
    match kind:
        case "asked":
            what = f"{found.created_by} asks for approval"
            lines = [f"{found.created_by} asks you to approve {version} “{version.name}” of {agent.name}."]
            lines += [found.reason] if found.reason else []
            lines += ["It goes live when it is approved."] if found.goes_live else []
        case "approved":
            what = "approved"
            lines = [f"{version} “{version.name}” of {agent.name} is approved.", *said]
            lines += [found.outcome] if found.outcome else []
        case _:
            what = "changes asked for"
            lines = [f"Changes are asked for before {version} “{version.name}” of {agent.name} may go live.", *said]
    _send(to, f"{agent.name} {version}: {what}", lines, reverse("agentversions:approval_detail", args=[found.pk]))


def send_live_mail(*, deployment: int, version: int, kind: str, to: int) -> None:
    """Tell the author what became of their version. Raises OSError or SMTPException."""
    row = Deployment.objects.select_related("agent", "version", "created_by").get(pk=deployment)
    mine = AgentVersion.objects.get(pk=version)
    what = "is live" if kind == LIVE else f"was rolled back to {row.version}"
    lines = [f"{mine} “{mine.name}” of {row.agent.name} {what}.", f"By {row.created_by}."]
    lines += [f"Reason: {row.reason}"] if row.reason else []
    address = reverse("agentversions:version_detail", args=[row.agent.slug, mine.number])
    _send(to, f"{row.agent.name} {mine} {what}", lines, address)


def _tell(task: str, people: Iterable[User], **arguments: Any) -> None:
    if not settings.EMAIL_HOST:
        return
    for person in people:
        if person.email and person.is_active:
            defer(task, to=person.pk, **arguments)


def _send(to: int, subject: str, lines: list[str], address: str) -> None:
    person = User.objects.get(pk=to)
    if person.email and person.is_active:
        body = "\n".join([*lines, "", f"{settings.PUBLIC_URL}{address}"])
        EmailMessage(subject=" ".join(subject.split()), body=body, to=[person.email]).send()
