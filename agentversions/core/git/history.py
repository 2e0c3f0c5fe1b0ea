"""Walks commits in order and says, folder by folder, what each of them did to an agent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agentversions.core.portable import AGENT

from .folders import AgentFolder, FolderRefused, expect_files, folders_at, other_entries, read_agent
from .objects import Commit, ObjectRefused, Objects

EXPECTED = 50
"""Commits, and folders with their files, that are fetched together."""


@dataclass(frozen=True)
class Known:
    """What was read of a folder last: its tree (empty: read it again), the agent's name and digest."""

    tree: str
    name: str = ""
    digest: str = ""
    is_present: bool = True


@dataclass(frozen=True)
class Step:
    """What one commit did to one folder: an `agent` was read, or `refused` says why not, or it `is_removed`.

    `was` is the folder's former name when it was renamed; `is_again` asks for another try at the next look."""

    commit: Commit
    folder: str
    tree: str = ""
    agent: AgentFolder | None = None
    refused: str = ""
    is_removed: bool = False
    was: str = ""
    is_again: bool = False


class Walk:
    """The folders as they were read last; each commit's steps move it on."""

    def __init__(self, objects: Objects, prefix: str, known: dict[str, Known]) -> None:
        self.objects, self.prefix, self.known = objects, prefix, dict(known)

    def steps(self, commit: Commit) -> list[Step]:
        """What a commit changed against its first parent, and that is not so already. Raises ObjectRefused.

        A commit of a branch that was merged by fast-forward shows other folders as they were when it branched off:
        those it did not change itself, so they are left alone.
        """
        now = folders_at(self.objects, commit, self.prefix)
        before = self._before(commit)
        changed = {name for name in {*now, *before} if now.get(name) != before.get(name)}
        return list(self._compare(commit, now, changed, lambda _: commit))

    def settle(self, head: Commit, newest: Callable[[str], Commit]) -> list[Step]:
        """Whatever still differs from the head, each named by the `newest` commit that changed its folder."""
        now = folders_at(self.objects, head, self.prefix)
        return list(self._compare(head, now, {*now, *self.known}, newest))

    def _before(self, commit: Commit) -> dict[str, str]:
        if not commit.parents:
            return {}
        try:
            return folders_at(self.objects, self.objects.commit(commit.parents[0]), self.prefix)
        except ObjectRefused:
            return {}  # A shallow clone ends here.

    def _compare(
        self, commit: Commit, now: dict[str, str], candidates: set[str], by: Callable[[str], Commit]
    ) -> Iterator[Step]:
        touched = sorted(name for name in candidates if now.get(name) != self._tree(name))
        gone = [name for name in touched if name not in now]
        present = [name for name in touched if name in now]
        read: list[Step] = []
        for start in range(0, len(present), EXPECTED):
            some = present[start : start + EXPECTED]
            expect_files(self.objects, [now[name] for name in some])
            read += [self._read(by(name), name, now[name]) for name in some]
        read = self._without_twins(self._renamed(read, gone), now)
        moved = {step.was for step in read}
        steps = [*read, *(self._removed(by(name), name) for name in gone if name not in moved)]
        for step in steps:
            self._note(step)
            yield step

    def _tree(self, folder: str) -> str | None:
        """The tree that was read last; None where nothing is known or the folder is gone."""
        known = self.known.get(folder)
        return known.tree if known and known.is_present else None

    def _read(self, commit: Commit, folder: str, tree: str) -> Step:
        try:
            return Step(commit, folder, tree, agent=read_agent(self.objects, folder, tree))
        except FolderRefused as error:
            return Step(commit, folder, tree, refused=str(error))

    def _removed(self, commit: Commit, folder: str) -> Step:
        """The folder is gone; where only its agent.yaml is, that is a mistake to be said, not a deletion."""
        if folder in other_entries(self.objects, commit, self.prefix):
            words = f"{folder}: {AGENT} is gone. Put it back, or remove the whole folder."
            return Step(commit, folder, refused=words)
        return Step(commit, folder, is_removed=True)

    def _renamed(self, steps: list[Step], gone: list[str]) -> list[Step]:
        """A folder that came while another with the same agent (digest or name) went is that one under a new name."""
        free, result = list(gone), []
        for step in steps:
            known = self.known.get(step.folder)
            if step.agent and (known is None or not known.digest):
                agent = step.agent
                same = [name for name in free if self.known[name].digest == agent.digest] or [
                    name for name in free if self._is_named(name, agent.content.name)
                ]
                if same:
                    free.remove(same[0])
                    step = replace(step, was=same[0])
            result.append(step)
        return result

    def _is_named(self, folder: str, name: str) -> bool:
        known = self.known.get(folder)
        return known is not None and known.name != "" and known.name.casefold() == name.casefold()

    def _without_twins(self, steps: list[Step], now: dict[str, str]) -> list[Step]:
        """Refuse a second agent of one name: the folder that had the name keeps it, else the first in order."""
        holders: dict[str, str] = {}
        read = {step.folder for step in steps}
        for folder in now:
            if folder not in read and (known := self.known.get(folder)) and known.name:
                holders[known.name.casefold()] = folder
        claims = [step for step in steps if step.agent]
        claims.sort(key=lambda step: (not self._had_name(step), step.folder not in self.known, step.folder))
        refused: dict[str, str] = {}
        for step in claims:
            assert step.agent is not None
            name = step.agent.content.name
            holder = holders.setdefault(name.casefold(), step.folder)
            if holder != step.folder:
                refused[step.folder] = (
                    f"{step.folder}/{AGENT}, name: The folder {holder} holds an agent called “{name}” too. "
                    "Give one of them another name."
                )
        return [
            replace(step, agent=None, refused=refused[step.folder], was="", is_again=True)
            if step.folder in refused
            else step
            for step in steps
        ]

    def _had_name(self, step: Step) -> bool:
        return step.agent is not None and self._is_named(step.was or step.folder, step.agent.content.name)

    def _note(self, step: Step) -> None:
        before = self.known.get(step.was or step.folder)
        if step.was:
            self.known.pop(step.was, None)
        tree = "" if step.is_again else step.tree
        if step.agent:
            self.known[step.folder] = Known(tree, step.agent.content.name, step.agent.digest)
        else:
            name, digest = (before.name, before.digest) if before else ("", "")
            self.known[step.folder] = Known(tree, name, digest, is_present=not step.is_removed)
