"""What tests of the gate and of approvals share: an agent with V1 live, V2 waiting, and people of every role."""

from dataclasses import dataclass

from agentversions.core.release import Verdict
from agentversions.models import Agent, AgentVersion, ApprovalRequest, User
from agentversions.services.approvals import ask_approval, decide
from agentversions.services.deployments import live_version, make_live
from agentversions.services.release_rules import set_rules
from tests.factories import make_agent, make_user, make_version


@dataclass(frozen=True)
class Release:
    """V1 is live; V2, by the editor, is not."""

    agent: Agent
    first: AgentVersion
    second: AgentVersion
    editor: User
    operator: User
    approver: User
    admin: User


def make_release(*, approvals: int = 0, suites: tuple[str, ...] = (), tolerance: float = 0) -> Release:
    """The agent “clinic” that asks for this many approvals and these suites of a version."""
    editor, operator = make_user("editor", username="emma"), make_user("operator", username="otto")
    approver, admin = make_user("approver", username="anna"), make_user("admin", username="adam")
    agent = make_agent(editor, slug="clinic")
    first = make_version(agent, editor)
    make_live(version=first, actor=operator)
    second = make_version(agent, editor, name="Warmer welcome", welcome_message="Good morning, this is the clinic.")
    set_rules(agent=agent, approvals=approvals, tolerance=tolerance, suites=suites, actor=admin)
    return Release(agent, first, second, editor, operator, approver, admin)


def ask(release: Release, version: AgentVersion | None = None, *, goes_live: bool = False) -> ApprovalRequest:
    """The editor asks."""
    return ask_approval(
        version=version or release.second, reason="Callers like it", goes_live=goes_live, actor=release.editor
    )


def say(request: ApprovalRequest, verdict: Verdict, actor: User, note: str = "") -> ApprovalRequest:
    """Somebody decides, having seen what is there now."""
    live = live_version(request.agent)
    return decide(
        request=request,
        verdict=verdict,
        digest=request.digest,
        seen_live=live.number if live else 0,
        note=note,
        actor=actor,
    )


def approve(request: ApprovalRequest, actor: User) -> ApprovalRequest:
    """Somebody approves."""
    return say(request, Verdict.APPROVE, actor, "Sounds right")
