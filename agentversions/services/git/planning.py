"""What a sync, or a pull request, would do: read and said, nothing stored."""

from collections.abc import Iterator
from pathlib import Path

from agentversions.core.git.folders import FolderRefused, folders_at, other_entries, read_agent
from agentversions.core.git.history import Known, Step, Walk
from agentversions.core.git.numbering import Numbering
from agentversions.core.git.objects import ObjectRefused
from agentversions.core.git.plan import AgentPlan, Plan, plan_of_steps
from agentversions.models import Agent, AgentVersion, GitFolder

from .errors import GitFailed
from .mirror import Mirror
from .numberings import numberings_of
from .source import require_source
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
    return Plan(source.seen_commit, head, tuple(_plans(by_folder)), tuple(notes))


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


def _plans(by_folder: dict[str, list[Step]]) -> Iterator[AgentPlan]:
    """The plan of each folder by its agent's versions, in a fixed number of queries; none without a change."""
    tied = dict(GitFolder.objects.filter(agent__isnull=False).values_list("folder", "agent"))
    free = dict(Agent.objects.filter(slug__in=by_folder, git_folder__isnull=True).values_list("slug", "pk"))
    agents = {folder: tied.get(_was(folder, steps)) or free.get(folder) for folder, steps in by_folder.items()}
    numberings = numberings_of([key for key in agents.values() if key])
    newest = AgentVersion.objects.filter(agent__in=numberings).order_by("agent_id", "-number").distinct("agent_id")
    latest = {version.agent_id: version for version in newest.select_related("configuration")}
    for folder in sorted(by_folder):
        steps, key = by_folder[folder], agents[folder]
        numbering = numberings[key] if key else Numbering(0, {})
        made = [step.commit for step in steps if step.agent and numbering.take(step.agent.digest).kind == "new"]
        before = latest.get(key) if key else None
        if steps[-1].agent and not made and before and not any(step.was for step in steps):
            continue
        yield plan_of_steps(folder, steps, tuple(made), before.configuration.load() if before else None)


def _was(folder: str, steps: list[Step]) -> str:
    """The name under which the folder is known here."""
    return next((step.was for step in steps if step.was), folder)
