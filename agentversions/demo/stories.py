"""Reads the demo's files: people, libraries, and the agents with every step of their history."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.edits import Edit, apply_edits
from agentversions.core.library_items import as_linked_knowledge, as_linked_tool, content_of_knowledge, read_tool
from agentversions.core.portable import document_of, find_root
from agentversions.core.reading import read_document, write_document
from agentversions.core.yaml_text import read_yaml

FOLDER = Path(__file__).parent
STORY = "history.yaml"


@dataclass(frozen=True)
class Step:
    """One step of a history: who changed the draft to what; a step with a name was published, so many days ago."""

    by: str
    content: AgentConfiguration
    name: str = ""
    description: str = ""
    days_ago: int = 0
    at: str = "12:00"

    def happened_at(self, now: datetime) -> datetime:
        """The step's time, counted back from now (its zone is kept)."""
        return datetime.combine(now.date() - timedelta(days=self.days_ago), time.fromisoformat(self.at), now.tzinfo)


@dataclass(frozen=True)
class GoesLive:
    """A version that was made live, or rolled back to."""

    version: int
    by: str
    reason: str
    is_rollback: bool


@dataclass(frozen=True)
class Story:
    """An agent's history; `draft` is what was changed since the last step, None when nothing was."""

    slug: str
    folder: str
    steps: tuple[Step, ...]
    live: tuple[GoesLive, ...]
    draft: Step | None


def read_people() -> list[dict[str, Any]]:
    """The demo's people, as their file has them."""
    people: list[dict[str, Any]] = _read("people.yaml")
    return people


def read_libraries() -> dict[str, list[dict[str, Any]]]:
    """The entries of the tool and knowledge-base libraries, as their file has them."""
    libraries: dict[str, list[dict[str, Any]]] = _read("libraries.yaml")
    return libraries


def read_stories() -> tuple[Story, ...]:
    """Every agent of the demo, by its slug."""
    return tuple(_read_story(folder) for folder in sorted((FOLDER / "agents").iterdir()))


def _read_story(folder: Path) -> Story:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert find_root(files) == ""
    story = read_yaml(files[STORY].decode())
    document = write_document(read_document(document_of(files)))
    steps = []
    for step in story["steps"]:
        document = _change(document, step, files)
        steps.append(
            Step(
                by=step["by"],
                content=read_document(document),
                name=step["name"],
                description=step["description"],
                days_ago=step["days_ago"],
                at=step["at"],
            )
        )
    draft = story["draft"]
    return Story(
        slug=folder.name,
        folder=story["folder"],
        steps=tuple(steps),
        live=tuple(GoesLive(**{"is_rollback": False, **row}) for row in story["live"]),
        draft=Step(by=draft["by"], content=read_document(_change(document, draft, files))) if draft else None,
    )


def _change(document: dict[str, Any], step: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """The document after a step: picked from the libraries, prompt rewritten or edited, fields set."""
    prompt = document["system_prompt"]
    if "prompt" in step:
        prompt = files[step["prompt"]].decode()
    for before, after in step.get("replace", []):
        if prompt.count(before) != 1:
            raise ValueError(f"The demo's prompt does not hold {before!r} exactly once.")
        prompt = prompt.replace(before, after)
    edits = [*_picks(step.get("pick", {})), Edit("set", "system_prompt", prompt)]
    edits += [Edit("set", path, value) for path, value in step.get("set", {}).items()]
    return write_document(read_document(apply_edits(document, tuple(edits))))


def _picks(slugs: dict[str, list[str]]) -> list[Edit]:
    """What picking these library entries copies, with the link to the revision that was picked."""
    libraries, edits = read_libraries(), []
    for slug in slugs.get("tools", []):
        item = as_linked_tool(slug, read_tool(_entry(libraries["tools"], slug)), revision=1)
        edits.append(Edit("set", f"tools[{item['name']}]", item))
    for slug in slugs.get("knowledge_bases", []):
        content = content_of_knowledge(_entry(libraries["knowledge_bases"], slug))
        edits.append(Edit("set", f"knowledge_bases[{slug}]", as_linked_knowledge(slug, content, revision=1)))
    return edits


def _entry(entries: list[dict[str, Any]], slug: str) -> dict[str, Any]:
    content: dict[str, Any] = next(entry["content"] for entry in entries if entry["slug"] == slug)
    return content


def _read(name: str) -> Any:
    return read_yaml((FOLDER / name).read_text(encoding="utf-8"))
