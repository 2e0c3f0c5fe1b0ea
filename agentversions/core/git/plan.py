"""What a change in git would do: agents, versions, differences in words; as text, and as a document for programs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from agentversions.core.changes import Comparison, compare
from agentversions.core.configuration import AgentConfiguration
from agentversions.core.version_words import say_in_line

from .history import Step
from .objects import Commit

Kind = Literal["new", "changed", "renamed", "removed", "invalid"]
SIGNS: dict[Kind, str] = {"new": "+", "changed": "~", "renamed": "→", "removed": "-", "invalid": "!"}


@dataclass(frozen=True)
class AgentPlan:
    """What would happen to one agent: the commits that would each make a version, and the difference in all.

    `was` is its former folder; `problem` says why it cannot be read."""

    folder: str
    kind: Kind
    commits: tuple[Commit, ...] = ()
    before: AgentConfiguration | None = None
    after: AgentConfiguration | None = None
    was: str = ""
    problem: str = ""
    left_out: tuple[str, ...] = ()

    @cached_property
    def comparison(self) -> Comparison | None:
        """The difference from what is there now; None for a new, removed or invalid agent."""
        return compare(self.before, self.after) if self.before and self.after else None

    @property
    def title(self) -> str:
        """The first line: `~ clinic: 2 versions, 3 differences`."""
        count = len(self.commits)
        versions = f"{count or 'no new'} version{'' if count < 2 else 's'}"
        said = {
            "new": f"a new agent, {versions}",
            "changed": versions,
            "renamed": f"renamed from {self.was}, {versions}",
            "removed": "the folder is gone; the agent stays, with all its versions",
            "invalid": "cannot be read",
        }[self.kind]
        return f"{SIGNS[self.kind]} {self.folder}: {said}"


@dataclass(frozen=True)
class Plan:
    """Everything that would happen, by folder; `notes` names what is no agent and was left out."""

    base: str
    head: str
    agents: tuple[AgentPlan, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change and nothing is wrong."""
        return not self.agents

    @property
    def is_valid(self) -> bool:
        """Whether every folder can be read."""
        return all(agent.kind != "invalid" for agent in self.agents)

    def lines(self) -> list[str]:
        """The plan as people read it in a terminal or in a comment of a pull request."""
        said = [] if self.agents else ["Nothing would change."]
        for agent in self.agents:
            said.append(agent.title)
            said += [f"    {agent.problem}"] if agent.problem else []
            said += [f"    version “{commit.subject or commit.short}” ({commit.short})" for commit in agent.commits]
            for tab, changes in agent.comparison.groups if agent.comparison else ():
                said.append(f"    {tab.label}")
                said += [f"      {say_in_line(change)}" for change in changes]
            said += [f"    left out: {path}" for path in agent.left_out]
        return said + [f"  {note}" for note in self.notes]

    def document(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "base": self.base,
            "head": self.head,
            "valid": self.is_valid,
            "agents": [_document_of(agent) for agent in self.agents],
            "notes": list(self.notes),
        }


def plan_of_steps(
    folder: str, steps: list[Step], made: tuple[Commit, ...], before: AgentConfiguration | None
) -> AgentPlan:
    """The plan of one folder from its steps in order; `made` are the commits that would make a version."""
    last = steps[-1]
    was = next((step.was for step in steps if step.was), "")
    if last.refused:
        return AgentPlan(folder, "invalid", problem=last.refused)
    if last.is_removed:
        return AgentPlan(folder, "removed", made)
    assert last.agent is not None
    kind: Kind = "renamed" if was else "changed" if before else "new"
    return AgentPlan(folder, kind, made, before, last.agent.content, was, left_out=last.agent.left_out)


def _document_of(agent: AgentPlan) -> dict[str, Any]:
    groups = agent.comparison.groups if agent.comparison else ()
    return {
        "folder": agent.folder,
        "kind": agent.kind,
        "was": agent.was,
        "problem": agent.problem,
        "versions": [{"commit": commit.id, "name": commit.subject} for commit in agent.commits],
        "changes": [
            {"group": tab.label, "path": change.path, "kind": change.kind, "summary": say_in_line(change)}
            for tab, changes in groups
            for change in changes
        ],
        "left_out": list(agent.left_out),
    }
