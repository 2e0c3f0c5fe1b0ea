"""Whether a version may go to callers: the gate and the approvals of its agent, and overrides of what is missing."""

from dataclasses import dataclass

from django.db import transaction

from agentversions.core.gate import SuiteEvidence, decide
from agentversions.core.release import Missing, RequestState, Verdict, find_missing, is_covered
from agentversions.core.roles import Permission
from agentversions.models import AgentVersion, ApprovalDecision, ReleaseOverride, User

from .audit import record
from .draft_pointer import lock_agent
from .errors import NotAllowed, NotReady, OwnWork, ReasonMissing, RequestRefused
from .evaluations.evidence import gather_evidence
from .live_versions import live_version
from .release_rules import Rules, rules_of

COUNTED = (RequestState.OPEN.value, RequestState.APPROVED.value)


@dataclass(frozen=True)
class Readiness:
    """Everything that is known of one version against its agent's rules.

    `missing` is what it lacks, whether or not `override` lets it pass; an override that no longer covers it is None.
    """

    rules: Rules
    evidence: tuple[SuiteEvidence, ...] = ()
    approved_by: tuple[User, ...] = ()
    missing: tuple[Missing, ...] = ()
    override: ReleaseOverride | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it may go to callers."""
        return not self.missing or self.override is not None

    @property
    def is_gate_shut(self) -> bool:
        """Whether it stays away from callers however many people approve."""
        return self.override is None and any(one.suite for one in self.missing)

    @property
    def suites(self) -> tuple[tuple[SuiteEvidence, str], ...]:
        """The evidence of each required suite, with why it holds the version, empty where it passed."""
        held = {one.suite: one.words for one in self.missing if one.suite}
        return tuple((one, held.get(one.suite, "")) for one in self.evidence)


def readiness_of(version: AgentVersion) -> Readiness:
    """What this version has and lacks now, beside what is live now."""
    rules = rules_of(version.agent)
    if not rules.ask_something:
        return Readiness(rules)
    evidence = gather_evidence(agent=version.agent, digest=version.configuration_id, suites=rules.suites)
    approved_by = approvers_of(version)
    missing = find_missing(
        decide(evidence, tolerance=rules.tolerance), approvals_needed=rules.approvals, approvals=len(approved_by)
    )
    return Readiness(rules, evidence, approved_by, missing, standing_override(version, missing) if missing else None)


def approvers_of(version: AgentVersion) -> tuple[User, ...]:
    """Who approved exactly this version; what was approved before somebody last asked for changes does not count."""
    decisions = ApprovalDecision.objects.filter(request__version=version).order_by("id")
    refused = decisions.filter(verdict=Verdict.CHANGES.value).values_list("request_id", flat=True).last()
    counted = decisions.filter(
        verdict=Verdict.APPROVE.value, request__state__in=COUNTED, request_id__gt=refused or 0
    ).select_related("person")
    return tuple({row.person_id: row.person for row in counted}.values())


def standing_override(version: AgentVersion, missing: tuple[Missing, ...]) -> ReleaseOverride | None:
    """The newest override that covers all of this beside what is live now."""
    found = ReleaseOverride.objects.filter(version=version, live=live_version(version.agent)).order_by("-id")
    rows = found.select_related("created_by")
    return next((row for row in rows if is_covered(missing, frozenset(row.keys))), None)


def require_ready(version: AgentVersion, *, actor: User, override_reason: str = "") -> ReleaseOverride | None:
    """Let a version pass on its way to callers; give the override that let it, None where nothing is missing.

    With a reason, what is missing is overridden now. Call it with the agent locked. Raises NotReady; NotAllowed and
    OwnWork when the actor may not override.
    """
    found = readiness_of(version)
    if found.is_ready:
        return found.override
    if override_reason.strip():
        return _override(version, found, reason=override_reason, actor=actor)
    raise NotReady(version, found.missing)


@transaction.atomic
def override_readiness(*, version: AgentVersion, reason: str, actor: User) -> ReleaseOverride:
    """Let a version to callers although something is missing; making it live is another act, by an operator.

    Raises NotAllowed, OwnWork, ReasonMissing, RequestRefused when nothing is missing.
    """
    lock_agent(version.agent)
    found = readiness_of(version)
    if found.is_ready:
        raise RequestRefused(f"{version} has everything it needs, so there is nothing to override. Make it live.")
    return _override(version, found, reason=reason, actor=actor)


def refuse_own_override(version: AgentVersion, actor: User) -> None:
    """Raise NotAllowed unless the actor is an approver, OwnWork when they wrote the version."""
    if not actor.allows(Permission.APPROVE):
        raise NotAllowed("Only an approver overrides what is missing. Ask one, or ask for approval.")
    if version.created_by_id == actor.pk:
        raise OwnWork(f"You published {version} yourself. Ask another approver to override what is missing.")


def _override(version: AgentVersion, found: Readiness, *, reason: str, actor: User) -> ReleaseOverride:
    refuse_own_override(version, actor)
    if not reason.strip():
        raise ReasonMissing("Say why it goes to callers without; whoever reads the history at night needs it.")
    words = "\n".join(one.words for one in found.missing)
    row = ReleaseOverride.objects.create(
        version=version,
        live=live_version(version.agent),
        keys=[one.key for one in found.missing],
        words=words,
        reason=reason.strip(),
        created_by=actor,
    )
    record(
        action="gate overridden",
        subject_kind="agent",
        subject=version.agent.slug,
        reason=reason.strip(),
        after={"version": version.number, "missing": row.keys},
        actor=actor,
    )
    return row
