"""What a sync, or a pull request, would do: read and said, nothing stored."""

from pathlib import Path

from agentversions.core.git.folders import FolderRefused, folders_at, other_entries, read_agent
from agentversions.core.git.history import Known, Step, Walk
from agentversions.core.git.numbering import Numbering
from agentversions.core.git.objects import ObjectRefused
from agentversions.core.git.plan import AgentPlan, Plan, plan_of_steps
from agentversions.models import Agent, GitFolder
from agentversions.services.publishing import latest_version

from .errors import GitFailed
from .mirror import Mirror
from .source import require_source
from .storing import numbering_of
from .syncing import REWRITTEN, look, only_one, walk_to


def plan_sync() -> Plan:
    """What the next sync would bring, commit by commit. Raises GitNotConfigured and GitFailed."""
    with only_one():
        source = require_source()
        mirror = Mirror.of(source.address)
        head = look(source, mirror)
        notes = []
        if source.seen_commit and not mirror.descends(head, source.seen_commit):
            notes.append(REWRITTEN)
            source.takes_only_head = True
        try:
            by_folder: dict[str, list[Step]] = {}
            for _, steps, _ in walk_to(source, mirror, head):
                for step in steps:
                    by_folder[step.folder] = [*by_folder.pop(step.was or step.folder, []), step]
        except ObjectRefused as error:
            raise GitFailed(f"The repository cannot be read: it {error}") from error
    agents = (_plan_of_folder(folder, by_folder[folder]) for folder in sorted(by_folder))
    return Plan(source.seen_commit, head, tuple(agent for agent in agents if agent), tuple(notes))


def plan_change(*, repository: Path, base: str, head: str, folder: str = "") -> Plan:
    """What merging `head` into `base` would change, from a repository on this machine alone: no database is asked.

    One version per agent: a merge is one commit of the followed branch. Raises GitFailed."""
    if not repository.is_dir():
        raise GitFailed(f"There is no folder {repository}. Name the repository with --repository.")
    mirror = Mirror(repository)
    last = mirror.resolve(head)
    first = mirror.common(mirror.resolve(base), last)
    try:
        with mirror.objects() as objects:
            known: dict[str, Known] = {}
            before, merged = objects.commit(first), objects.commit(last)
            for name, tree in folders_at(objects, before, folder).items():
                try:
                    agent = read_agent(objects, name, tree)
                    known[name] = Known(tree, agent.content.name, agent.digest)
                except FolderRefused:
                    known[name] = Known(tree)
            steps = Walk(objects, folder, dict(known)).settle(
                merged, lambda name: objects.commit(mirror.newest(last, f"{folder}/{name}" if folder else name))
            )
            plans = []
            for step in steps:
                now = known.get(step.was or step.folder)
                old = read_agent(objects, step.folder, now.tree).content if now and now.digest else None
                is_same = now is not None and step.agent is not None and now.digest == step.agent.digest
                if is_same and not step.was:
                    continue
                made = (step.commit,) if step.agent and not is_same else ()
                plans.append(plan_of_steps(step.folder, [step], made, old))
            notes = _notes(other_entries(objects, merged, folder))
    except ObjectRefused as error:
        raise GitFailed(f"The repository cannot be read: it {error}") from error
    return Plan(first, last, tuple(sorted(plans, key=lambda plan: plan.folder)), notes)


def _notes(others: dict[str, str]) -> tuple[str, ...]:
    """Links and submodules are named; other folders of the repository are nobody's business."""
    return tuple(
        f"{name} is {kind} and is left out." for name, kind in sorted(others.items()) if not kind.startswith("a folder")
    )


def _plan_of_folder(folder: str, steps: list[Step]) -> AgentPlan | None:
    """The plan of a folder by its agent's versions; None where nothing would change."""
    agent = _agent_of(folder, steps)
    numbering = numbering_of(agent) if agent else Numbering(0, {})
    made = [step.commit for step in steps if step.agent and numbering.take(step.agent.digest).kind == "new"]
    latest = latest_version(agent) if agent else None
    if steps[-1].agent and not made and latest is not None and not any(step.was for step in steps):
        return None
    return plan_of_steps(folder, steps, tuple(made), latest.configuration.load() if latest else None)


def _agent_of(folder: str, steps: list[Step]) -> Agent | None:
    first = next((step.was for step in steps if step.was), folder)
    row = GitFolder.objects.filter(folder=first).select_related("agent").first()
    if row is not None and row.agent is not None:
        return row.agent
    found: Agent | None = Agent.objects.filter(slug=folder, git_folder__isnull=True).first()
    return found
