"""Our bare copy of the followed repository: fetched, asked for its history, pushed from. It can be deleted any time."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from .errors import GitFailed
from .object_reader import ObjectReader
from .program import run_git

FOLLOWED, KEPT, WRITTEN = "refs/followed/", "refs/kept/", "refs/written/"


@dataclass(frozen=True)
class Mirror:
    """A repository on this machine, and the address it is fetched from and pushed to (empty: it stands alone)."""

    folder: Path
    address: str = ""

    @classmethod
    def of(cls, address: str) -> "Mirror":
        """The copy of a repository, made empty when it is not there."""
        folder = settings.GIT_SYNC_FOLDER / hashlib.sha256(address.encode()).hexdigest()[:20]
        if not (folder / "HEAD").exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            run_git("init", "--bare", "--quiet", "--template=", str(folder))
        return cls(folder, address)

    def remote_head(self, branch: str) -> str | None:
        """The hash at the head of a branch of the repository itself; None when it has no such branch."""
        return self.remote_branches().get(branch)

    def remote_branches(self) -> dict[str, str]:
        """The repository's own branches by name, each with the hash at its head. Raises GitFailed."""
        _, output = run_git("ls-remote", "--quiet", "--heads", "--", self.address, address=self.address)
        lines = (line.partition("\t") for line in output.decode("utf-8", "replace").splitlines())
        return {ref.removeprefix("refs/heads/"): commit for commit, _, ref in lines}

    def fetch(self, branch: str) -> str:
        """Fetch a branch; gives its head. Raises GitFailed."""
        ref = f"{FOLLOWED}{branch}"
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--force")
        run_git(
            "fetch",
            *options,
            "--",
            self.address,
            f"refs/heads/{branch}:{ref}",
            folder=self.folder,
            address=self.address,
            is_limited=True,
        )
        return self.resolve(ref)

    def resolve(self, name: str) -> str:
        """The full hash of the commit that a name (branch, tag, hash) stands for. Raises GitFailed."""
        code, output = run_git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", folder=self.folder,
            accepts=(0, 1, 128),
        )  # fmt: skip
        if code:
            raise GitFailed(f"There is no commit “{name[:80]}” in this repository. Fetch it first.")
        return output.decode().strip()

    def has(self, commit: str) -> bool:
        """Whether a commit is in the copy."""
        return not run_git("cat-file", "-e", f"{commit}^{{commit}}", folder=self.folder, accepts=(0, 1, 128))[0]

    def descends(self, head: str, base: str) -> bool:
        """Whether `head` is `base` or comes after it; what is not in the copy any more is before nothing."""
        if not self.has(base):
            return False
        code, _ = run_git("merge-base", "--is-ancestor", base, head, folder=self.folder, accepts=(0, 1))
        return code == 0

    def common(self, base: str, head: str) -> str:
        """The last commit that both have; the base itself where they share none."""
        code, output = run_git("merge-base", base, head, folder=self.folder, accepts=(0, 1))
        return output.decode().split()[0] if code == 0 else base

    def commits(self, base: str, head: str, path: str) -> list[str]:
        """The commits from `base` (empty: from the beginning) to `head` that touch a path, along the first parents,
        oldest first. The work on merged branches is not followed: a merge is one commit."""
        bounds = [head, *([f"^{base}"] if base else [])]
        return list(self._listed("--reverse", "--topo-order", *bounds, "--", *([path] if path else [])))

    def newest(self, head: str, path: str) -> str:
        """The newest commit along the first parents that touched a path; the head itself where none is found."""
        return next(self._listed("--max-count=1", head, "--", path), head)

    def _listed(self, *arguments: str) -> Iterator[str]:
        _, output = run_git("rev-list", "--first-parent", *arguments, folder=self.folder)
        yield from output.decode().split()

    def keep(self, commit: str) -> None:
        """Keep a commit that its branch has left, so that git never clears it away."""
        if self.has(commit):
            run_git("update-ref", f"{KEPT}{commit}", commit, folder=self.folder)

    def push(self, commit: str, branch: str, *, expected: str) -> None:
        """Make a commit the branch's head, if that still stands at `expected` (empty: there is no such branch)."""
        run_git(
            "push",
            "--quiet",
            "--no-verify",
            "--no-recurse-submodules",
            f"--force-with-lease=refs/heads/{branch}:{expected}",
            "--",
            self.address,
            f"{commit}:refs/heads/{branch}",
            folder=self.folder,
            address=self.address,
        )

    def objects(self) -> ObjectReader:
        """A reader of its objects."""
        return ObjectReader(self.folder)
