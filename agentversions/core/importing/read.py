"""Reads a document from outside: finds out what it is, maps it, and keeps what the schema does not know."""

import re
import tomllib
from pathlib import PurePosixPath
from typing import Any

from agentversions.core.canonical_json import NotCanonicalisable, check, parse
from agentversions.core.problems import find_problems
from agentversions.core.reading import FieldError, InvalidConfiguration, read_document
from agentversions.core.yaml_text import read_yaml
from agentversions.core.zip_files import looks_like_zip

from . import own
from .detect import TOOL_LIST, Format, find_format
from .imported import Imported
from .mapper import Mapper, fits, paths_of, without_empty
from .secrets_out import Vault

FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?\r?\n)---[ \t]*(?:\r?\n|$)", re.DOTALL)
YAML_FIRST_LINE = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\n|---[ \t]*\n)*[A-Za-z_][\w .-]*:(?:[ \t]|\r?\n|$)")
TOML_FIRST_LINE = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\n)*(?:\[[\w.-]+\]|[\w.-]+[ \t]*=)")
TEXT = "text"


def read_import(name: str, content: bytes) -> Imported:
    """The configuration of a file called `name`. What is no known document becomes the system prompt, byte for byte.

    Raises InvalidConfiguration with sentences: a damaged archive, JSON or YAML that says it is and is not, no text.
    """
    if looks_like_zip(content):
        return own.read_archive(content)
    text = _decode(content)
    stem = _title_of(name)
    syntax, document, body = _parse(name, text)
    if isinstance(document, dict) and body is None and own.recognises(document):
        return own.read(document)
    if (known := find_format(document)) is not None:
        return _map(known, name, text, syntax, document, body, stem)
    if isinstance(document, dict) and body is not None and isinstance(document.get("name"), str):
        return _map(SKILL, name, text, syntax, document, body, stem)
    return read_whole_text(name, content)


def read_whole_text(name: str, content: bytes) -> Imported:
    """The whole file as the system prompt, byte for byte. Raises InvalidConfiguration when it is no text."""
    text = _decode(content)
    source = {"format": TEXT, "file": PurePosixPath(name).name[:200]}
    document = {"name": _title_of(name), "system_prompt": text, "extensions": {"source": source}}
    configuration = read_document(document)
    return Imported(configuration, "text", warnings=_key_warnings(configuration))


SKILL = Format("prompt with a header", "header", lambda document: False, lambda mapper: _read_skill(mapper))


def _read_skill(mapper: Mapper) -> None:
    mapper.move("name", "name")


def _map(known: Format, name: str, text: str, syntax: str, document: Any, body: str | None, stem: str) -> Imported:
    """Map a recognised document; take out its keys; keep the rest and the exact source."""
    mapper = Mapper({"tools": document} if known is TOOL_LIST else document)
    known.read(mapper)
    if body is not None:
        mapper.document.setdefault("system_prompt", body)
    result = mapper.document
    if not fits("name", result.get("name", "")):
        result["name"] = stem
    vault = Vault()
    for tool in result.get("tools", []):
        vault.hide_in_tool(tool)
    for field in ("workflow", "call_analysis"):
        if field in result:
            result[field] = vault.hide_in_rest(result[field])
    rest = without_empty(mapper.rest)
    extensions: dict[str, Any] = {known.key: vault.hide_in_rest(rest)} if rest else {}
    source: dict[str, Any] = {"format": f"{known.title} ({syntax})", "file": PurePosixPath(name).name[:200]}
    warnings = list(mapper.warnings)
    kept = vault.hide_in_text(text)
    if kept is None:
        warnings.append("The source is not kept, because a key in it is too short to be masked safely.")
    else:
        source["text"] = kept
        if vault.names:
            source["masked"] = sorted(vault.names.values())
            warnings.append("The kept source has the same keys masked, so it is not the file's exact text.")
    configuration = read_document({**result, "extensions": {**extensions, "source": source}})
    return Imported(
        configuration,
        str(source["format"]),
        unmapped=paths_of(rest) if rest else (),
        secrets=tuple(sorted(vault.names.values())),
        warnings=(*warnings, *_key_warnings(configuration)),
    )


def _parse(name: str, text: str) -> tuple[str, Any, str | None]:
    """The syntax, the document, and the text behind a front matter. A file whose name says JSON, YAML or TOML must be
    that; any other text that is none of them is simply a text."""
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if suffix == ".json" or text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
            return "JSON", parse(text.removeprefix("\ufeff")), None
        if match := FRONT_MATTER.match(text):
            return "Markdown", read_yaml(match.group(1)), text[match.end() :]
        if suffix == ".toml" or (suffix not in {".yaml", ".yml"} and TOML_FIRST_LINE.match(text)):
            document = tomllib.loads(text.removeprefix("\ufeff"))
            check(document)
            return "TOML", document, None
        if suffix in {".yaml", ".yml"} or YAML_FIRST_LINE.match(text):
            return "YAML", read_yaml(text.removeprefix("\ufeff")), None
    except (NotCanonicalisable, tomllib.TOMLDecodeError) as error:
        if suffix in {".json", ".yaml", ".yml", ".toml"}:
            raise InvalidConfiguration((FieldError("", f"{PurePosixPath(name).name}: {error}"),)) from error
    return TEXT, None, None


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = "The file is neither UTF-8 text nor a zip archive. Save it as UTF-8 and try again."
        raise InvalidConfiguration((FieldError("", message),)) from error


def _title_of(name: str) -> str:
    """A name for the agent from the file's name: `vapi-receptionist.assistant.md` → Vapi receptionist."""
    words = re.sub(r"[-_\s]+", " ", PurePosixPath(name).name.lstrip(".").partition(".")[0]).strip()
    return (words[:1].upper() + words[1:])[:200] or "Imported agent"


def _key_warnings(configuration: Any) -> tuple[str, ...]:
    """A suspected key in a prompt stays, because a prompt is never changed; the import says so."""
    return tuple(
        dict.fromkeys(
            problem.message for problem in find_problems(configuration) if "key or a password" in problem.message
        )
    )
