"""Everything the editor shows about a draft besides its text: what changed since the latest version, and problems."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils import timezone

from agentversions.core.changes import Comparison, compare
from agentversions.core.configuration import TABS, AgentConfiguration, Tab
from agentversions.core.controls import ItemList, control_path_of, controls_in, lay_out
from agentversions.core.problems import Problem, find_problems
from agentversions.core.reading import write_document
from agentversions.models import Agent, AgentVersion
from agentversions.services.deployments import live_version
from agentversions.services.publishing import latest_version
from agentversions.templatetags.interface import exact


@dataclass(frozen=True)
class EditorState:
    """A draft beside the agent's latest version and its live version."""

    agent: Agent
    content: AgentConfiguration
    latest: AgentVersion | None
    live: AgentVersion | None
    comparison: Comparison | None

    @cached_property
    def document(self) -> dict[str, Any]:
        """The draft as JSON values."""
        return write_document(self.content)

    @cached_property
    def latest_document(self) -> dict[str, Any]:
        """The latest version as JSON values, empty before the first."""
        return write_document(self.latest.configuration.load()) if self.latest else {}

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps the draft from being published, and warnings."""
        return find_problems(self.content)

    @cached_property
    def changed(self) -> dict[str, str]:
        """The kind of each difference from the latest version, by the path of its control, item or list."""
        if self.comparison is None:
            return {}
        changes = [change for parent in self.comparison.changes for change in (parent, *parent.children)]
        return {control_path_of(change.path): change.kind for change in changes}

    @property
    def changed_tabs(self) -> tuple[str, ...]:
        """The keys of the tabs in which something differs."""
        return tuple(tab.key for tab, _ in self.comparison.groups) if self.comparison else ()

    @property
    def difference(self) -> str:
        """The header's sentence: `Draft has 3 changes since V7`."""
        if self.latest is None or self.comparison is None:
            return "Never published"
        count = len(self.comparison.changes)
        if count:
            return f"Draft has {count} change{'' if count == 1 else 's'} since V{self.latest.number}"
        return f"Draft is the same as V{self.latest.number}"

    @property
    def compare_address(self) -> str:
        """Where the difference is shown in full, empty before the first version."""
        if self.latest is None:
            return ""
        return reverse("agentversions:version_compare", args=[self.agent.slug, str(self.latest.number), "draft"])

    @property
    def saved_at(self) -> str:
        """The time of the last save, to the second, in the reader's zone; with its date when that is not today."""
        moment = timezone.localtime(self.agent.draft_changed_at)
        is_today = moment.date() == timezone.localdate()
        return moment.strftime("%H:%M:%S" if is_today else "%-d %b %Y, %H:%M:%S")


def state_of(agent: Agent, content: AgentConfiguration | None = None) -> EditorState:
    """The state of an agent's draft; pass the content when it is loaded already."""
    draft = content or agent.draft.load()
    latest = latest_version(agent)
    comparison = compare(latest.configuration.load(), draft) if latest else None
    return EditorState(agent, draft, latest, live_version(agent), comparison)


def describe(state: EditorState, *, since: AgentConfiguration | None = None) -> dict[str, Any]:
    """The state as the page's scripts read it. `since` is what the page shows now: `values` are the texts that differ
    from it, `restructured` the tabs whose items differ."""
    values, restructured = differing_texts(since, state.content) if since else ({}, ())
    return {
        "digest": state.agent.draft_id,
        "name": state.content.name,
        "saved_at": state.saved_at,
        "saved_title": exact(state.agent.draft_changed_at),
        "by": str(state.agent.draft_changed_by),
        "latest": state.latest.number if state.latest else 0,
        "live": state.live.number if state.live else 0,
        "difference": state.difference,
        "compare": state.compare_address,
        "changed_paths": list(state.changed),
        "changed_tabs": list(state.changed_tabs),
        "problems": [_problem(problem) for problem in state.problems],
        "values": values,
        "restructured": list(restructured),
    }


def differing_texts(before: AgentConfiguration, after: AgentConfiguration) -> tuple[dict[str, str], tuple[str, ...]]:
    """The texts of the controls that differ, and the keys of the tabs whose items were added, removed or moved."""
    old, new = write_document(before), write_document(after)
    values: dict[str, str] = {}
    restructured = []
    for tab in TABS:
        if all(old[name] == new[name] for name in tab.fields):
            continue
        old_texts, new_texts = _texts(tab, old), _texts(tab, new)
        values.update({path: text for path, text in new_texts.items() if old_texts.get(path, text) != text})
        if _items(tab, old) != _items(tab, new):
            restructured.append(tab.key)
    return values, tuple(restructured)


def _texts(tab: Tab, document: dict[str, Any]) -> dict[str, str]:
    return {control.path: control.text for control in controls_in(lay_out(tab, document))}


def _items(tab: Tab, document: dict[str, Any]) -> list[str]:
    lists = (block for block in lay_out(tab, document) if isinstance(block, ItemList))
    return [item.path for block in lists for item in block.items]


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": control_path_of(problem.path),
        "message": problem.message,
        "is_blocking": problem.is_blocking,
        "tab": problem.tab.key,
    }
