"""Builds answers from what the services give."""

from agentversions.core.changes import Change
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.paths import MISSING
from agentversions.core.problems import find_problems
from agentversions.core.reading import write_document
from agentversions.models import Agent, AgentVersion, Deployment
from agentversions.services.comparison import ComparedSides, Side
from agentversions.services.deployments import live_version

from .schemas import (
    AgentAnswer,
    ChangeAnswer,
    ComparisonAnswer,
    DraftAnswer,
    DraftState,
    FoundProblem,
    LiveAnswer,
    SideAnswer,
    VersionAnswer,
    VersionWithConfiguration,
)


def agent_answer(agent: Agent) -> AgentAnswer:
    """An agent with where its draft stands."""
    return AgentAnswer(
        slug=agent.slug,
        name=agent.name,
        kind=agent.kind,
        folder=agent.folder,
        archived_at=agent.archived_at,
        created_at=agent.created_at,
        created_by=agent.created_by.username,
        draft=DraftState(
            digest=agent.draft_id, changed_at=agent.draft_changed_at, changed_by=agent.draft_changed_by.username
        ),
    )


def draft_answer(agent: Agent, content: AgentConfiguration, *, merged_others: bool = False) -> DraftAnswer:
    """A draft with its configuration and its problems."""
    found = find_problems(content)
    return DraftAnswer(
        agent=agent.slug,
        digest=agent.draft_id,
        changed_at=agent.draft_changed_at,
        changed_by=agent.draft_changed_by.username,
        configuration=write_document(content),
        problems=[FoundProblem(path=one.path, detail=one.message, is_blocking=one.is_blocking) for one in found],
        merged_others=merged_others,
    )


def version_answer(version: AgentVersion, *, is_live: bool) -> VersionAnswer:
    """A version without its configuration, for lists."""
    return VersionAnswer(
        agent=version.agent.slug,
        number=version.number,
        name=version.name,
        description=version.description,
        digest=version.configuration_id,
        created_at=version.created_at,
        created_by=version.created_by.username,
        is_live=is_live,
    )


def full_version_answer(version: AgentVersion) -> VersionWithConfiguration:
    """A version with its configuration, exactly as it was stored."""
    live = live_version(version.agent)
    answer = version_answer(version, is_live=live is not None and live.pk == version.pk)
    return VersionWithConfiguration(**answer.model_dump(), configuration=write_document(version.configuration.load()))


def live_answer(deployment: Deployment) -> LiveAnswer:
    """What is live, since when and why."""
    version = deployment.version
    return LiveAnswer(
        agent=version.agent.slug,
        version=version.number,
        version_name=version.name,
        digest=version.configuration_id,
        since=deployment.created_at,
        by=deployment.created_by.username,
        reason=deployment.reason,
        is_rollback=deployment.is_rollback,
        override=deployment.override.reason if deployment.override else None,
    )


def comparison_answer(agent: Agent, compared: ComparedSides) -> ComparisonAnswer:
    """The structured difference, in words too."""
    comparison = compared.comparison
    return ComparisonAnswer(
        agent=agent.slug,
        base=_side(compared.base),
        head=_side(compared.head),
        is_identical=comparison.is_identical,
        summary=comparison.in_words(),
        changes=[_change(change) for change in comparison.changes],
    )


def _side(side: Side) -> SideAnswer:
    number = side.version.number if side.version else None
    return SideAnswer(address=side.address, title=side.title, digest=side.configuration.digest, version=number)


def _change(change: Change) -> ChangeAnswer:
    return ChangeAnswer(
        path=change.path,
        label=change.label,
        kind=change.kind,
        summary=change.summary,
        tab=change.tab.label,
        unit=change.unit,
        before=None if change.before is MISSING else change.before,
        after=None if change.after is MISSING else change.after,
        children=[_change(child) for child in change.children],
    )
