"""The agents of a commit: one folder each, in the portable format, read within limits. Nothing is ever written to disk,
no symbolic link is followed and no submodule entered."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.digest import digest_of
from agentversions.core.portable import AGENT, PROMPT, WORKFLOW, document_of
from agentversions.core.problems import find_blocking
from agentversions.core.reading import FieldError, InvalidConfiguration, read_with_body

from .objects import FILES, LINK, SUBMODULE, TREE, Commit, Entry, ObjectRefused, Objects

MAX_FILE_BYTES = 2_000_000
MAX_FOLDER_BYTES = 8_000_000
MAX_FILES = 500
MAX_AGENTS = 5_000
TOOLS = "tools"
ORDINARY_NAME = re.compile(r"(?!\.)[^\x00-\x1f\x7f\\/:*?\"<>|\ud800-\udfff]{1,100}(?<![ .])")
"""Names of folders that every file system takes; whatever else a tree may hold (`..`, `.git`) is no agent's folder."""
KNOWN_FILE = re.compile(r"(?:agent\.yaml|prompt\.md|workflow\.json|tools/)")
LONGEST_SENTENCE = 1_000


class FolderRefused(ValueError):
    """A folder that is no agent; the message names the file, the field and what to do."""


@dataclass(frozen=True)
class AgentFolder:
    """An agent as a commit holds it: its configuration, the canonical bytes and their digest; `left_out` names the
    files that are no part of the format."""

    folder: str
    content: AgentConfiguration
    body: str
    digest: str
    left_out: tuple[str, ...] = field(default=(), compare=False)


def folders_at(objects: Objects, commit: Commit, prefix: str) -> dict[str, str]:
    """Every folder below `prefix` that holds an agent.yaml: its name → its tree. Raises ObjectRefused."""
    children = _children(objects, commit, prefix)
    objects.expect(entry.id for entry in children if entry.mode == TREE)
    found = {
        entry.name: entry.id
        for entry in children
        if entry.mode == TREE
        and ORDINARY_NAME.fullmatch(entry.name)
        and any(child.name == AGENT for child in objects.tree(entry.id))
    }
    if len(found) > MAX_AGENTS:
        raise ObjectRefused(f"The commit {commit.short} holds {len(found):,} agents; the limit is {MAX_AGENTS:,}.")
    return found


def other_entries(objects: Objects, commit: Commit, prefix: str) -> dict[str, str]:
    """What stands below `prefix` and is no agent's folder, with a word for what it is, for those who look for it."""
    words = {LINK: "a symbolic link", SUBMODULE: "a submodule", TREE: f"a folder without {AGENT}"}
    agents = folders_at(objects, commit, prefix)
    return {
        entry.name: words[entry.mode]
        for entry in _children(objects, commit, prefix)
        if entry.name not in agents and entry.mode in words
    }


def _children(objects: Objects, commit: Commit, prefix: str) -> tuple[Entry, ...]:
    entries = objects.tree(commit.tree)
    for name in filter(None, prefix.split("/")):
        tree = next((entry.id for entry in entries if entry.name == name and entry.mode == TREE), None)
        if tree is None:
            return ()
        entries = objects.tree(tree)
    return entries


def read_agent(objects: Objects, folder: str, tree: str) -> AgentFolder:
    """The agent in a folder. Raises FolderRefused with a sentence that names file and field."""
    try:
        files, left_out = _files(objects, tree)
    except ObjectRefused as error:
        raise FolderRefused(f"{folder}: {error}") from error
    try:
        content, body = read_with_body(document_of(files))
    except InvalidConfiguration as error:
        raise FolderRefused(_sentence(folder, files, error.errors)) from error
    problems = find_blocking(content)
    if problems:
        errors = tuple(FieldError(problem.path, problem.message) for problem in problems)
        raise FolderRefused(_sentence(folder, files, errors))
    return AgentFolder(folder, content, body, digest_of(body), left_out)


def expect_files(objects: Objects, trees: Sequence[str]) -> None:
    """The agents in these folders are read next. What cannot be read is said then."""
    with contextlib.suppress(ObjectRefused):
        top = [entry for tree in trees for entry in objects.tree(tree)]
        objects.expect(entry.id for entry in top if entry.name == TOOLS and entry.mode == TREE)
        every = [pair for tree in trees for pair in _entries(objects, tree)]
        objects.expect(entry.id for path, entry in every if _is_known(path) and entry.mode in FILES)


def folder_files(objects: Objects, folder: str, tree: str) -> dict[str, bytes]:
    """The files of the format in a folder: path → bytes. Raises FolderRefused."""
    try:
        return _files(objects, tree)[0]
    except ObjectRefused as error:
        raise FolderRefused(f"{folder}: {error}") from error


def _files(objects: Objects, tree: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of the format with their bytes, and the paths of everything else."""
    entries = _entries(objects, tree)
    known = [(path, entry) for path, entry in entries if _is_known(path)]
    if len(known) > MAX_FILES:
        raise ObjectRefused(f"it holds {len(known):,} files; the limit is {MAX_FILES}.")
    files: dict[str, bytes] = {}
    for path, entry in known:
        if entry.mode not in FILES:
            kind = {LINK: "a symbolic link", SUBMODULE: "a submodule", TREE: "a folder"}.get(entry.mode, "no file")
            raise ObjectRefused(f"{path} is {kind}. Put the text itself there.")
        try:
            files[path] = objects.blob(entry.id, MAX_FILE_BYTES)
        except ObjectRefused as error:
            raise ObjectRefused(f"{path} {error}") from error
        if sum(map(len, files.values())) > MAX_FOLDER_BYTES:
            raise ObjectRefused(f"its files have more than {MAX_FOLDER_BYTES // 10**6} MB together. Shorten them.")
    return files, tuple(sorted(path for path, _ in entries if not _is_known(path)))


def _entries(objects: Objects, tree: str) -> list[tuple[str, Entry]]:
    """The entries of a folder and of its folder of tools, each with its path."""
    entries: list[tuple[str, Entry]] = []
    for entry in objects.tree(tree):
        if entry.name == TOOLS and entry.mode == TREE:
            entries += [(f"{TOOLS}/{child.name}", child) for child in objects.tree(entry.id)]
        else:
            entries.append((entry.name, entry))
    return entries


def _is_known(path: str) -> bool:
    return path in {AGENT, PROMPT, WORKFLOW, TOOLS} or (path.startswith("tools/") and path.endswith(".json"))


def _sentence(folder: str, files: dict[str, bytes], errors: tuple[FieldError, ...]) -> str:
    """Every error with its file and field; those of a whole file begin with its name already."""
    said = []
    for error in errors:
        if error.path:
            said.append(f"{folder}/{_file_of(error.path, files)}, {error.path}: {error.message}")
        elif KNOWN_FILE.match(error.message):
            said.append(f"{folder}/{error.message}")
        else:
            said.append(f"{folder}: {error.message}")
    return " ".join(said)[:LONGEST_SENTENCE]


def _file_of(path: str, files: dict[str, bytes]) -> str:
    """The file in which a field of the configuration stands."""
    top = re.split(r"[.\[]", path, maxsplit=1)[0]
    if top == "tools":
        name = re.match(r"tools\[(.*?)(?<!\\)\]", path)
        wanted = b'"' + re.sub(r"\\(.)", r"\1", name[1]).encode() + b'"' if name else b""
        candidates = [file for file, content in files.items() if file.startswith("tools/") and wanted in content]
        return candidates[0] if len(candidates) == 1 else "tools/"
    own = {"system_prompt": PROMPT, "workflow": WORKFLOW}
    return own[top] if own.get(top) in files else AGENT
