"""Our own documents: one version, or an agent with all its versions, as JSON or as an archive; nothing is lost.

In an archive `manifest.json` lists the versions and `configurations/<digest>.json` holds the exact canonical bytes, so
`sha256sum` of each file gives its name.
"""

import json
from dataclasses import dataclass
from typing import Any

from .canonical_json import MAX_DEPTH, NotCanonicalisable, canonical, parse
from .digest import digest_of
from .portable import FORMAT
from .reading import FieldError, InvalidConfiguration, read_document
from .zip_files import BadArchive, looks_like_zip, read_zip, write_zip

MAX_AGENT_BYTES = 100_000_000
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class VersionCopy:
    """A version outside the database. `created_at` is ISO 8601 with its zone; `body` is canonical JSON."""

    number: int
    name: str
    description: str
    created_at: str
    created_by: str
    body: str


@dataclass(frozen=True)
class AgentCopy:
    """An agent outside the database, versions oldest first; `draft` is the draft's body."""

    slug: str
    name: str
    folder: str
    draft: str
    versions: tuple[VersionCopy, ...]


def write_version_json(agent: str, version: VersionCopy) -> bytes:
    """One version of the agent with this slug as a JSON document that people can read."""
    document = {
        "format": FORMAT,
        "agent": agent,
        "version": _version_fields(version),
        "configuration": parse(version.body),
    }
    return _pretty(document)


def write_agent_json(agent: AgentCopy) -> bytes:
    """The agent with all its versions as one JSON document; equal configurations stand in it once."""
    bodies = _bodies(agent)
    return _pretty({**_manifest(agent), "configurations": {digest: parse(body) for digest, body in bodies.items()}})


def write_agent_zip(agent: AgentCopy) -> bytes:
    """The agent with all its versions as an archive."""
    files = {f"configurations/{digest}.json": body.encode() for digest, body in _bodies(agent).items()}
    return write_zip({MANIFEST: _pretty(_manifest(agent)), **files})


def read_agent(content: bytes) -> AgentCopy | None:
    """The agent of such a document or archive; None when it is neither. Raises InvalidConfiguration, also when a
    configuration does not fit its digest any more."""
    try:
        if looks_like_zip(content):
            files = read_zip(content)
            if MANIFEST not in files:
                return None
            manifest = parse(files[MANIFEST], max_bytes=MAX_AGENT_BYTES)
            bodies = {
                path.removeprefix("configurations/").removesuffix(".json"): _canonical_again(body)
                for path, body in files.items()
                if path.startswith("configurations/")
            }
        else:
            if FORMAT.encode() not in content[:300] or b'"versions"' not in content:
                return None
            manifest = parse(content, max_bytes=MAX_AGENT_BYTES, max_depth=MAX_DEPTH + 2)
            found = manifest.get("configurations") if isinstance(manifest, dict) else None
            bodies = {digest: canonical(value) for digest, value in found.items()} if isinstance(found, dict) else {}
    except (NotCanonicalisable, BadArchive) as error:
        raise _refused(str(error)) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("versions"), list):
        return None
    return _agent(manifest, _verified(bodies))


def _agent(manifest: dict[str, Any], bodies: dict[str, str]) -> AgentCopy:
    if manifest.get("format") != FORMAT:
        raise _refused(f"The format “{manifest.get('format')}” is not known here; this release reads {FORMAT}.")
    agent = manifest.get("agent")
    try:
        if not isinstance(agent, dict):
            raise TypeError
        versions = tuple(
            VersionCopy(
                number=_typed(fields["number"], int),
                name=_typed(fields["name"], str),
                description=_typed(fields.get("description", ""), str),
                created_at=_typed(fields["created_at"], str),
                created_by=_typed(fields.get("created_by", ""), str),
                body=bodies[fields["digest"]],
            )
            for fields in manifest["versions"]
        )
        copy = AgentCopy(
            slug=_typed(agent["slug"], str),
            name=_typed(agent["name"], str),
            folder=_typed(agent.get("folder", ""), str),
            draft=bodies[manifest["draft"]["digest"]],
            versions=versions,
        )
    except KeyError as error:
        raise _refused(f"The export is not complete: {error} is missing. Export the agent again.") from error
    except TypeError as error:
        raise _refused("The export's list of versions was changed and cannot be read. Export again.") from error
    if any(not 0 < len(version.name.strip()) <= 200 for version in versions) or len(copy.folder) > 200:
        raise _refused("A version of the export has no name, or a name is longer than 200 characters.")
    if [version.number for version in versions] != list(range(1, len(versions) + 1)):
        raise _refused("The export's versions are not numbered 1, 2, 3 … without gaps. Export the agent again.")
    return copy


def _verified(bodies: dict[str, str]) -> dict[str, str]:
    """The bodies, each checked against its name and against the schema."""
    for digest, body in bodies.items():
        if digest_of(body) != digest:
            raise _refused(
                f"The configuration {digest[:8]} was changed since it was exported: its digest does not fit."
            )
        read_document(parse(body))
    return bodies


def _canonical_again(body: bytes) -> str:
    return canonical(parse(body))


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError
    return value


def _bodies(agent: AgentCopy) -> dict[str, str]:
    return {digest_of(body): body for body in [*(version.body for version in agent.versions), agent.draft]}


def _manifest(agent: AgentCopy) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "agent": {"slug": agent.slug, "name": agent.name, "folder": agent.folder},
        "draft": {"digest": digest_of(agent.draft)},
        "versions": [_version_fields(version) for version in agent.versions],
    }


def _version_fields(version: VersionCopy) -> dict[str, Any]:
    return {
        "number": version.number,
        "name": version.name,
        "description": version.description,
        "created_at": version.created_at,
        "created_by": version.created_by,
        "digest": digest_of(version.body),
    }


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _refused(message: str) -> InvalidConfiguration:
    return InvalidConfiguration((FieldError("", message),))
