"""Our own documents: an exported version, a bare configuration, the portable folder in an archive."""

from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, canonical
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.portable import FORMAT, document_of, find_root, unused_files
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document
from agentversions.core.zip_files import BadArchive, read_zip

from .imported import Imported
from .secrets_out import Vault

EXPORT, BARE, FOLDER = "Agent Versions export", "configuration", "portable folder"


def recognises(document: dict[str, Any]) -> bool:
    """Whether this is an exported version, or a configuration by itself: a name, and only fields of the schema."""
    return document.get("format") == FORMAT or (
        "name" in document and set(document) <= set(AgentConfiguration.model_fields) and _has_own_tools(document)
    )


def read(document: dict[str, Any]) -> Imported:
    """An exported version or a bare configuration, exactly. Raises InvalidConfiguration with one error per field."""
    if document.get("format") != FORMAT:
        return _read_own(document, BARE)
    if "configuration" not in document:
        raise InvalidConfiguration((FieldError("", "The export holds no “configuration”. Export the version again."),))
    imported = _read_own(document["configuration"], EXPORT)
    version = document.get("version")
    digest = version.get("digest") if isinstance(version, dict) else None
    if digest and digest != digest_of(_canonical(document["configuration"])):
        warning = "The configuration was changed since it was exported: its digest does not fit any more."
        return Imported(imported.configuration, EXPORT, secrets=imported.secrets, warnings=(warning,))
    return imported


def read_files(files: dict[str, bytes]) -> Imported:
    """The portable folder. Raises InvalidConfiguration."""
    imported = _read_own(document_of(files), FOLDER)
    warnings = tuple(
        f"The file “{path}” is no part of the portable folder and was left out." for path in unused_files(files)
    )
    return Imported(imported.configuration, FOLDER, secrets=imported.secrets, warnings=warnings)


def read_archive(content: bytes) -> Imported:
    """The portable folder in a zip archive. Raises InvalidConfiguration."""
    try:
        files = read_zip(content)
    except BadArchive as error:
        raise InvalidConfiguration((FieldError("", str(error)),)) from error
    if find_root(files) is None:
        message = "The archive holds no agent.yaml, or several. Import the files one by one."
        raise InvalidConfiguration((FieldError("", message),))
    return read_files(files)


def _read_own(document: Any, title: str) -> Imported:
    """Our own document; a key somebody wrote into a header is taken out before the schema would refuse it."""
    vault = Vault()
    for tool in document.get("tools", []) if isinstance(document, dict) else []:
        if isinstance(tool, dict) and isinstance(tool.get("name"), str) and isinstance(tool.get("headers", {}), dict):
            vault.hide_in_tool(tool)
    return Imported(read_document(document), title, secrets=tuple(vault.names.values()))


def _has_own_tools(document: dict[str, Any]) -> bool:
    """OpenAI's lists of function tools may stand beside a prompt too."""
    tools = document.get("tools", [])
    return not (isinstance(tools, list) and any(isinstance(tool, dict) and "function" in tool for tool in tools))


def _canonical(document: Any) -> str:
    try:
        return canonical(document)
    except NotCanonicalisable:
        return ""
