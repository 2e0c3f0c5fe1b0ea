"""What is published in the browser becomes a commit, once, and comes back without a second version."""

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.core.portable import read_folder, write_folder
from agentversions.models import AgentVersion, GitSource, GitVersion
from agentversions.services.git.errors import GitFailed
from agentversions.services.git.source import suspend_source
from agentversions.services.git.syncing import synchronise
from agentversions.services.git.writing import write_published
from agentversions.tasks import look_at_git, sync_with_git, write_to_git
from tests.factories import make_agent, make_user, make_version

from .git_repository import Repository, follow, run

pytestmark = pytest.mark.django_db
BRANCH = "agent-versions"


@pytest.fixture
def repository(repository: Repository) -> Repository:
    repository.write("README.md", "Agents of the clinic")
    repository.save("Begin")
    return repository


def files(repository: Repository, folder: str, branch: str = BRANCH) -> dict[str, bytes]:
    paths = run("ls-tree", "-r", "--name-only", f"{branch}:{folder}", folder=repository.remote).split()
    return {path: run("show", f"{branch}:{folder}/{path}", folder=repository.remote).encode() for path in paths}


def log(repository: Repository, branch: str = BRANCH) -> list[str]:
    return run("log", "--reverse", "--format=%s|%an|%ae", branch, folder=repository.remote).splitlines()


def test_each_published_version_is_a_commit_by_its_author(repository):
    pm = make_user("editor", username="pm", first_name="Grace", last_name="Hopper")
    follow(repository, write_branch=BRANCH)
    agent = make_agent(pm, slug="clinic")
    one = make_version(agent, pm, name="Answer the phone")
    two = make_version(agent, pm, name="Greet", welcome_message="Good morning")
    assert ProcrastinateJob.objects.filter(task_name="agentversions.git_write").count() == 1
    write_to_git()
    assert log(repository)[1:] == [
        "Answer the phone|Grace Hopper|pm@example.com",
        "Greet|Grace Hopper|pm@example.com",
    ]
    assert read_folder(files(repository, "agents/clinic")) == two.configuration.load()
    assert "Agent-Version: clinic V2" in run("log", "-1", "--format=%b", BRANCH, folder=repository.remote)
    assert list(GitVersion.objects.order_by("id").values_list("version", "kind")) == [
        (one.pk, "written"),
        (two.pk, "written"),
    ]
    assert write_published() == 0
    assert run("show", f"{BRANCH}:README.md", folder=repository.remote) == "Agents of the clinic"


@pytest.mark.parametrize("way", ["merge", "squash", "directly"])
def test_a_version_that_comes_back_is_not_made_twice_nor_written_again(repository, way):
    follow(repository, write_branch="main" if way == "directly" else BRANCH)
    agent = make_agent(slug="clinic")
    make_version(agent, name="One")
    make_version(agent, name="Two", welcome_message="Two")
    assert write_published() == 2
    repository.git("fetch", "--quiet", "origin")
    if way == "directly":
        repository.git("merge", "--quiet", "--ff-only", "origin/main")
    elif way == "merge":
        repository.git("merge", "--quiet", "--no-ff", "--message", "Take it (#1)", f"origin/{BRANCH}")
    else:
        repository.git("merge", "--quiet", "--squash", f"origin/{BRANCH}")
        repository.commit("Take it (#1)")
    repository.push()
    assert synchronise(trigger="test").versions == 0
    assert write_published() == 0
    assert agent.versions.count() == 2
    assert "met" in GitVersion.objects.filter(version__number=2).values_list("kind", flat=True)
    # The next one stands on what was merged, not on the old branch.
    agent.refresh_from_db()
    make_version(agent, name="Three", welcome_message="Three")
    write_published()
    branch = "main" if way == "directly" else BRANCH
    parent = run("rev-parse", f"{branch}^", folder=repository.remote).strip()
    assert parent == run("rev-parse", "HEAD", folder=repository.work).strip()
    assert synchronise(trigger="test").versions == 0
    if way == "directly":
        repository.git("pull", "--quiet", "--ff-only", "origin", "main")
    # Taken back in git, it is a version again, and not the first one on its way.
    one = agent.versions.get(number=1).configuration.load()
    for path, content in write_folder(one).items():
        repository.write(f"agents/clinic/{path}", content)
    repository.save("Take it back")
    assert synchronise(trigger="test").versions == 1


def test_what_is_merged_in_git_is_not_written_back(repository):
    follow(repository, write_branch=BRANCH)
    repository.put("agents/clinic")
    repository.save("From git")
    synchronise(trigger="test")
    assert write_published() == 0
    assert BRANCH not in run("branch", "--list", folder=repository.remote)


def test_a_file_that_says_the_same_keeps_its_comments(repository):
    follow(repository, write_branch=BRANCH)
    repository.put("agents/clinic")
    text = (repository.work / "agents/clinic/agent.yaml").read_text()
    repository.write("agents/clinic/agent.yaml", f"# Ask Ada before you change the voice\n{text}")
    repository.write("agents/clinic/NOTES.txt", "ours")
    repository.save("Begin")
    synchronise(trigger="test")
    agent = AgentVersion.objects.get().agent
    make_version(agent, name="Prompt only", system_prompt="You are brief.")
    write_published()
    written = files(repository, "agents/clinic")
    assert written["agent.yaml"].startswith(b"# Ask Ada")
    assert (written["prompt.md"], written["NOTES.txt"]) == (b"You are brief.", b"ours")


def test_a_failure_is_said_and_the_next_try_makes_the_same_commit(repository):
    source = follow(repository, write_branch=BRANCH)
    agent = make_agent(slug="clinic")
    make_version(agent, name="One")
    hidden = repository.remote.with_name("hidden.git")
    repository.remote.rename(hidden)
    with pytest.raises(GitFailed):
        write_to_git()
    source.refresh_from_db()
    assert "no git repository" in source.write_error
    hidden.rename(repository.remote)
    look_at_git(0)
    source.refresh_from_db()
    assert (source.write_error, source.error, GitVersion.objects.count()) == ("", "", 1)
    # What the branch holds already (pushed, but killed before it was noted) makes no second commit.
    make_version(agent, name="One again")
    assert write_published() == 1
    assert (len(log(repository)), GitVersion.objects.values("commit").distinct().count()) == (2, 1)


def test_suspended_nothing_is_written(repository):
    boss = make_user("admin")
    follow(repository, boss, write_branch=BRANCH)
    suspend_source(actor=boss)
    make_version(make_agent(slug="clinic"))
    assert not ProcrastinateJob.objects.filter(task_name="agentversions.git_write").exists()
    look_at_git(0)
    sync_with_git("test")
    assert BRANCH not in run("branch", "--list", folder=repository.remote)


def test_without_a_branch_to_write_to_publishing_asks_for_nothing(repository):
    follow(repository)
    make_version(make_agent(slug="clinic"))
    assert not ProcrastinateJob.objects.filter(task_name="agentversions.git_write").exists()
    assert write_published() == 0


def test_the_command_syncs_and_names_what_it_did(repository, capsys):
    with pytest.raises(CommandError, match="No repository is followed yet"):
        call_command("git_sync")
    follow(repository, write_branch=BRANCH)
    repository.put("agents/hotel")
    repository.write("agents/bank/agent.yaml", "name: 3")
    repository.save("A hotel")
    make_version(make_agent(slug="clinic"))
    with pytest.raises(CommandError, match="1 folders could not be read"):
        call_command("git_sync")
    said = capsys.readouterr()
    assert "1 commits read, 1 new versions, 1 new agents, 1 versions written." in said.out
    assert "bank/agent.yaml" in said.err
    call_command("git_sync", "--json")
    assert '"versions": 0' in capsys.readouterr().out
    assert GitSource.objects.get().behind == 0
