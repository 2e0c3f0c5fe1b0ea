"""What an agent asks of a version before callers hear it: required suites with a tolerance, and approvals."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from agentversions.core.release import MOST_APPROVALS
from agentversions.core.roles import Permission
from agentversions.models import Agent, EvaluationSuite, ReleaseRules, RequiredSuite, User

from .audit import record
from .draft_pointer import lock_agent, refuse_archived
from .errors import NotAllowed, RulesRefused


@dataclass(frozen=True)
class Rules:
    """What an agent asks; `tolerance` is a share (0.02: two points may be lost against the live version)."""

    approvals: int = 0
    tolerance: float = 0.0
    suites: tuple[EvaluationSuite, ...] = ()

    @property
    def ask_something(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.approvals or self.suites)


def rules_of(agent: Agent) -> Rules:
    """The rules in force; archived suites count until an admin no longer requires them."""
    row = ReleaseRules.objects.filter(agent=agent).first()
    if row is None:
        return Rules()
    suites = EvaluationSuite.objects.filter(required_by__agent=agent).select_related("latest")
    return Rules(row.approvals, row.tolerance, tuple(suites))


@transaction.atomic
def set_rules(*, agent: Agent, approvals: int, tolerance: float, suites: Sequence[str], actor: User) -> Rules:
    """Change what the agent asks; `suites` are slugs of its own or shared suites.

    Raises NotAllowed unless an admin does it, RulesRefused with the field, AgentArchived.
    """
    if not actor.allows(Permission.ADMINISTER):
        raise NotAllowed("Only an admin changes what a version needs before callers hear it.")
    if not 0 <= approvals <= MOST_APPROVALS:
        raise RulesRefused(f"Choose 0 to {MOST_APPROVALS} approvals.", "approvals")
    if not 0 <= tolerance <= 1:
        raise RulesRefused("The tolerance is from 0 to 100 points.", "tolerance")
    locked = lock_agent(agent)
    refuse_archived(locked)
    before = rules_of(locked)
    chosen = _find_suites(locked, suites, before)
    ReleaseRules.objects.update_or_create(agent=locked, defaults={"approvals": approvals, "tolerance": tolerance})
    RequiredSuite.objects.filter(agent=locked).exclude(suite__in=chosen).delete()
    RequiredSuite.objects.bulk_create(
        [RequiredSuite(agent=locked, suite=suite) for suite in chosen if suite not in before.suites]
    )
    after = rules_of(locked)
    if after != before:
        record(
            action="release rules changed",
            subject_kind="agent",
            subject=locked.slug,
            before=_written(before),
            after=_written(after),
            actor=actor,
        )
    return after


def _find_suites(agent: Agent, slugs: Sequence[str], before: Rules) -> list[EvaluationSuite]:
    """An archived suite may stay required, but none is newly required."""
    offered = {suite.slug: suite for suite in EvaluationSuite.objects.for_agent(agent).active()}
    offered |= {suite.slug: suite for suite in before.suites}
    for slug in slugs:
        if slug not in offered:
            raise RulesRefused(f"There is no suite “{slug}” for this agent. Choose among those listed.", "suites")
    return [offered[slug] for slug in dict.fromkeys(slugs)]


def _written(rules: Rules) -> dict[str, object]:
    return {
        "approvals": rules.approvals,
        "tolerance": rules.tolerance,
        "suites": sorted(suite.slug for suite in rules.suites),
    }
