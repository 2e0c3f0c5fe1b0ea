"""What a repository may hold that is no agent: it is named or refused, and the others go on."""

import subprocess

import pytest

from agentversions.models import Agent, GitRun
from agentversions.services.git.errors import GitFailed

from .git_repository import Repository, folder, follow, names, run, sync

pytestmark = pytest.mark.django_db


def test_an_invalid_folder_says_file_and_field_and_the_others_go_on(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.put("agents/bank", tools=[{"name": "crm", "endpoint": "https://crm.example.com"}])
    repository.commit("Begin")
    text = (repository.work / "agents/clinic/agent.yaml").read_text()
    repository.write("agents/clinic/agent.yaml", text.replace("temperature: 0.7", "temperature: 9"))
    repository.write("agents/bank/tools/crm.json", '{"name": "crm", "timeout_s": "soon"}')
    repository.put("agents/hotel", welcome_message="Welcome")
    repository.save("Three at once")
    outcome = sync()
    assert names("hotel") == ["Begin", "Three at once"]
    assert folder("clinic").problem == "clinic/agent.yaml, model.temperature: Temperature must be at most 2.0."
    assert folder("bank").problem.startswith("bank/tools/crm.json, tools[crm].timeout_s: ")
    assert len(outcome.problems) == 2
    assert len(GitRun.objects.get().problems) == 2
    repository.write("agents/clinic/agent.yaml", text.replace("temperature: 0.7", "temperature: 1"))
    repository.save("Within reason")
    sync()
    assert (folder("clinic").problem, names("clinic")) == ("", ["Begin", "Within reason"])


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]" for n in range(9)
)


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("agent.yaml", BOMB, "aliases"),
        ("agent.yaml", "- a list", "a list of fields is needed"),
        ("agent.yaml", "name: [", "clinic/agent.yaml: Line 2"),
        ("agent.yaml", b"\xff\xfe", "agent.yaml is not UTF-8"),
        ("prompt.md", "x" * 2_000_001, "prompt.md has 2.0 MB"),
        ("prompt.md", "   ", "prompt.md, system_prompt: The system prompt is empty"),
        ("tools/bad.json", '{"a": 1, "a": 2}', "tools/bad.json: The key “a” stands twice"),
        ("workflow.json", "[" * 5000, "workflow.json"),
    ],
)
def test_odd_files_are_refused_by_name(repository, path, content, words):
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.write(f"agents/clinic/{path}", content)
    repository.save("Begin")
    sync()
    assert words in folder("clinic").problem
    assert folder("clinic").problem.startswith("clinic")
    assert (list(Agent.objects.values_list("slug", flat=True)), names("hotel")) == (["hotel"], ["Begin"])


def test_neither_links_nor_submodules_are_followed(repository, tmp_path):
    follow(repository)
    secret = tmp_path / "secret.md"
    secret.write_text("The server's own file")
    repository.put("agents/clinic")
    (repository.work / "agents/clinic/prompt.md").unlink()
    (repository.work / "agents/clinic/prompt.md").symlink_to(secret)
    repository.put("agents/hotel")
    (repository.work / "agents/hotel/notes").symlink_to(secret)
    (repository.work / "agents/inn").symlink_to(repository.work / "agents/hotel")
    other = Repository(tmp_path / "other")
    other.put("bank")
    other.save("A bank")
    repository.git("submodule", "--quiet", "add", str(other.remote), "agents/bank")
    repository.save("Begin")
    sync()
    assert folder("clinic").problem == "clinic: prompt.md is a symbolic link. Put the text itself there."
    assert list(Agent.objects.values_list("slug", flat=True)) == ["hotel"]
    assert names("hotel") == ["Begin"]


def test_a_tree_with_odd_names_reaches_nothing(repository):
    """What git itself would not make is refused as it arrives."""
    follow(repository)
    repository.put("agents/clinic")
    repository.save("Begin")
    tree = run("rev-parse", "HEAD:agents/clinic", folder=repository.work).strip()
    listing = b"40000 ..\0" + bytes.fromhex(tree)
    bad = _object(repository, listing, "tree")
    top = _object(repository, b"40000 agents\0" + bytes.fromhex(bad), "tree")
    commit = run("commit-tree", "-m", "Up", top, folder=repository.work, **_WHO).strip()
    run("push", "--quiet", "--force", str(repository.remote), f"{commit}:refs/heads/main", folder=repository.work)
    with pytest.raises(GitFailed):
        sync()
    assert Agent.objects.count() == 0


_WHO = {f"GIT_{role}_{key}": "x" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def _object(repository: Repository, content: bytes, kind: str) -> str:
    done = subprocess.run(
        ["git", "hash-object", "-w", "--literally", "--stdin", "-t", kind],
        input=content,
        cwd=repository.work,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()
