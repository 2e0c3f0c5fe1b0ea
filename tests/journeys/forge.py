"""Where a team keeps its agents in git: branches that are merged, pushed by the real git program, and a webhook after
each push, signed as GitHub signs it."""

import hashlib
import hmac
import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from tests.agentversions.git_repository import Repository


@dataclass
class Forge:
    """A repository that tells an address of its pushes to `main`."""

    repository: Repository
    webhook: str
    secret: str
    told: list[int] = field(default_factory=list)

    def begin(self, folder: str, message: str, **fields: Any) -> str:
        """The first commit, pushed to `main` before anybody follows it; its hash."""
        self.repository.put(folder, **fields)
        return self.repository.save(message)

    def merge(self, branch: str, folder: str, message: str, **fields: Any) -> str:
        """Edit an agent's folder on a branch of its own, and merge that into `main`; the hash of the merge."""
        repository = self.repository
        repository.git("checkout", "--quiet", "-b", branch)
        repository.put(folder, **fields)
        repository.commit(f"Work on {branch}")
        repository.push(branch=branch)
        repository.git("checkout", "--quiet", "main")
        repository.git("merge", "--quiet", "--no-ff", "--message", message, branch)
        merged = repository.push()
        self.told.append(self._tell(merged))
        return merged

    def _tell(self, head: str) -> int:
        body = json.dumps({"ref": "refs/heads/main", "after": head}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest(),
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": head,
        }
        with urllib.request.urlopen(urllib.request.Request(self.webhook, body, headers), timeout=30) as answer:
            status: int = answer.status
        return status
