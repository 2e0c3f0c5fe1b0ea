"""A configuration as a folder that people read and git compares: agent.yaml, prompt.md, tools/*.json, workflow.json.

Reading what was written gives back the same configuration, to the byte of every text; so its digest is the same too.
"""

import json
import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from .canonical_json import NotCanonicalisable, parse
from .configuration import AgentConfiguration
from .reading import FieldError, InvalidConfiguration, read_document, write_document
from .yaml_text import read_yaml, write_yaml

FORMAT = "agent-versions/1"
AGENT, PROMPT, WORKFLOW = "agent.yaml", "prompt.md", "workflow.json"
SMALL_BYTES = 20_000
"""Files up to this size are remembered once they are read."""
RESERVED = {"con", "prn", "aux", "nul", *(f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10))}
"""Names that Windows refuses for a file."""


def write_folder(configuration: AgentConfiguration) -> dict[str, bytes]:
    """The files of a configuration: relative path → bytes."""
    document = write_document(configuration)
    prompt, tools, workflow = document.pop("system_prompt"), document.pop("tools"), document.pop("workflow")
    names = _file_names([tool["name"] for tool in tools])
    agent = {"format": FORMAT, **document, "tools": names}
    files = {AGENT: write_yaml(agent).encode(), PROMPT: prompt.encode(), WORKFLOW: _write_json(workflow)}
    files.update((f"tools/{name}", _write_json(tool)) for name, tool in zip(names, tools, strict=True))
    return files


def read_folder(files: dict[str, bytes]) -> AgentConfiguration:
    """The configuration of a folder's files. Raises InvalidConfiguration; messages name the file."""
    return read_document(document_of(files))


def document_of(files: dict[str, bytes]) -> dict[str, Any]:
    """The configuration's document before it is checked against the schema. Raises InvalidConfiguration."""
    root = find_root(files)
    if root is None:
        raise _refused(f"There is no {AGENT} in this folder.")
    local = {path.removeprefix(root): content for path, content in files.items() if path.startswith(root)}
    document = _read(AGENT, local[AGENT])
    if not isinstance(document, dict):
        raise _refused(f"{AGENT}: a list of fields is needed, such as “name: Clinic receptionist”.")
    written = document.pop("format", FORMAT)
    if written != FORMAT:
        raise _refused(f"{AGENT}: the format “{written}” is not known here; this release reads {FORMAT}.")
    _add_text(document, local)
    if WORKFLOW in local:
        _refuse_both(document, "workflow", WORKFLOW)
        document["workflow"] = _read(WORKFLOW, local[WORKFLOW])
    document["tools"] = _read_tools(document.get("tools", []), local)
    return document


def find_root(files: dict[str, bytes]) -> str | None:
    """The folder that holds agent.yaml ("" for the top, "my-agent/" inside an archive), None without exactly one."""
    roots = [path.removesuffix(AGENT) for path in files if path == AGENT or path.endswith(f"/{AGENT}")]
    if "" in roots:
        return ""
    return roots[0] if len(roots) == 1 else None


def unused_files(files: dict[str, bytes]) -> tuple[str, ...]:
    """Files that are no part of the portable folder, so that an import can say it left them out."""
    root = find_root(files) or ""
    known = re.compile(re.escape(root) + r"(?:agent\.yaml|prompt\.md|workflow\.json|tools/[^/]+\.json)$")
    return tuple(path for path in sorted(files) if not known.match(path))


def _add_text(document: dict[str, Any], files: dict[str, bytes]) -> None:
    if PROMPT in files:
        _refuse_both(document, "system_prompt", PROMPT)
        try:
            document["system_prompt"] = files[PROMPT].decode()
        except UnicodeDecodeError as error:
            raise _refused(f"{PROMPT} is not UTF-8. Save it as UTF-8 and try again.") from error


def _read_tools(listed: Any, files: dict[str, bytes]) -> list[Any]:
    """The tools in the order that agent.yaml names their files; files it does not name follow by name."""
    if not isinstance(listed, list):
        raise _refused(f"{AGENT}: “tools” is a list of file names in the folder tools/.")
    present = sorted(path.removeprefix("tools/") for path in files if re.fullmatch(r"tools/[^/]+\.json", path))
    named = [entry for entry in listed if isinstance(entry, str)]
    tools = []
    for entry in [*listed, *(name for name in present if name not in named)]:
        if isinstance(entry, str):
            if entry not in present:
                raise _refused(f"{AGENT} names the tool file tools/{entry}, and there is no such file.")
            tools.append(_read(f"tools/{entry}", files[f"tools/{entry}"]))
        else:
            tools.append(entry)
    return tools


def _read(path: str, content: bytes) -> Any:
    try:
        is_json = PurePosixPath(path).suffix == ".json"
        if len(content) <= SMALL_BYTES:
            return json.loads(_as_json(content, is_json))
        return _values_of(content, is_json)
    except UnicodeDecodeError as error:
        raise _refused(f"{path} is not UTF-8. Save it as UTF-8 and try again.") from error
    except NotCanonicalisable as error:
        raise _refused(f"{path}: {error}") from error


@lru_cache(maxsize=1_000)
def _as_json(content: bytes, is_json: bool) -> str:
    """The values of a file as JSON text: a history of commits holds the same file many times."""
    return json.dumps(_values_of(content, is_json), ensure_ascii=False)


def _values_of(content: bytes, is_json: bool) -> Any:
    return parse(content) if is_json else read_yaml(content.decode("utf-8-sig"))


def _refuse_both(document: dict[str, Any], field: str, path: str) -> None:
    if document.get(field):
        raise _refused(f"{AGENT} and {path} both hold “{field}”. Keep one of them.")


def _write_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _file_names(names: list[str]) -> list[str]:
    """A file name for each tool that every file system takes, unique also where case does not count."""
    taken: set[str] = set()
    result = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:80].strip("_") or "tool"
        if stem.casefold() in RESERVED:
            stem += "_tool"
        unique, number = stem, 2
        while unique.casefold() in taken:
            unique, number = f"{stem}-{number}", number + 1
        taken.add(unique.casefold())
        result.append(f"{unique}.json")
    return result


def _refused(message: str) -> InvalidConfiguration:
    return InvalidConfiguration((FieldError("", message),))
