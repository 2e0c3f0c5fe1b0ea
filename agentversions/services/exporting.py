"""Exports: a version, or an agent with all its versions, as files; importing them gives the same digests."""

from typing import Literal

from django.utils import timezone

from agentversions.core.exchange import AgentCopy, VersionCopy, write_agent_json, write_agent_zip, write_version_json
from agentversions.core.portable import write_folder
from agentversions.core.zip_files import write_zip
from agentversions.models import Agent, AgentVersion

Shape = Literal["json", "zip"]


def export_version(*, version: AgentVersion, shape: Shape) -> bytes:
    """One version: our JSON with the exact configuration, or the portable folder in an archive."""
    if shape == "zip":
        return write_zip(write_folder(version.configuration.load()))
    return write_version_json(version.agent.slug, _copy_of(version))


def export_agent(*, agent: Agent, shape: Shape) -> bytes:
    """The draft and every version of an agent."""
    copy = copy_of_agent(agent)
    return write_agent_zip(copy) if shape == "zip" else write_agent_json(copy)


def copy_of_agent(agent: Agent) -> AgentCopy:
    """The agent with its draft and its versions, oldest first, in two queries."""
    versions = agent.versions.order_by("number").select_related("configuration", "created_by")
    return AgentCopy(
        slug=agent.slug,
        name=agent.name,
        folder=agent.folder,
        draft=agent.draft.body,
        versions=tuple(_copy_of(version) for version in versions),
    )


def _copy_of(version: AgentVersion) -> VersionCopy:
    return VersionCopy(
        number=version.number,
        name=version.name,
        description=version.description,
        created_at=version.created_at.astimezone(timezone.get_fixed_timezone(0)).isoformat(),
        created_by=version.created_by.username,
        body=version.configuration.body,
    )
