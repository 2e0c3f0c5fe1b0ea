"""Versions from git: a real repository on disk, pushed to by the git program, followed by the sync."""

import subprocess
import threading
from pathlib import Path

import pytest
from django.db import connection

from agentversions.core.reading import write_body
from agentversions.models import Agent, AgentVersion, AuditEntry, GitFolder, GitRun, GitSource, GitVersion
from agentversions.services.agents import archive_agent, unarchive_agent
from agentversions.services.drafts import replace_draft
from agentversions.services.git.errors import GitFailed, GitSettingRefused, GitSuspended
from agentversions.services.git.source import (
    SourceSettings,
    accept_rewritten,
    configure_source,
    resume_source,
    suspend_source,
)
from agentversions.services.git.syncing import synchronise
from tests.factories import make_agent, make_configuration, make_user, make_version

from .git_repository import Repository, follow, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def repository(tmp_path: Path, settings) -> Repository:
    settings.GIT_SYNC_FOLDER = tmp_path / "mirrors"
    return Repository(tmp_path)


def sync():
    return synchronise(trigger="test")


def names(slug: str) -> list[str]:
    return list(AgentVersion.objects.filter(agent__slug=slug).order_by("number").values_list("name", flat=True))


def folder(name: str) -> GitFolder:
    return GitFolder.objects.get(folder=name)


def test_each_commit_that_changed_an_agent_is_a_version_named_by_it(repository):
    ada = make_user("editor", username="ada")
    boss = make_user("admin")
    follow(repository, boss)
    repository.put("agents/clinic", welcome_message="Hello")
    first = repository.commit("Answer the phone\n\nFor the clinic in Lyon.\nSecond line.")
    repository.write("README.md", "Nothing of an agent")
    repository.commit("Explain the repository")
    repository.put("agents/clinic", welcome_message="Good morning")
    repository.save("Greet by the time of day", author="Grace Hopper <grace@example.com>")
    outcome = sync()
    assert (outcome.commits, outcome.versions, outcome.agents) == (2, 2, 1)
    one, two = AgentVersion.objects.order_by("number")
    assert (one.name, one.description) == ("Answer the phone", "For the clinic in Lyon.\nSecond line.")
    assert (one.created_by, two.created_by) == (ada, boss)
    tie = GitVersion.objects.get(version=one)
    assert (tie.commit, tie.author, tie.kind) == (first, "Ada Lovelace", "made")
    assert GitVersion.objects.get(version=two).author == "Grace Hopper"
    assert two.configuration.body == write_body(make_configuration(name="Clinic", welcome_message="Good morning"))
    entry = AuditEntry.objects.filter(action="version published").earliest("id")
    assert (entry.actor, entry.after["commit"], entry.after["version"]) == (ada, first, 1)
    assert (entry.origin, entry.origin_name) == ("git", first)


def test_a_second_run_does_nothing(repository):
    follow(repository)
    repository.put("agents/clinic")
    head = repository.save("Begin")
    sync()
    runs, rows = GitRun.objects.count(), AuditEntry.objects.count()
    outcome = sync()
    assert (outcome.head, outcome.commits, outcome.versions) == (head, 0, 0)
    assert (AgentVersion.objects.count(), GitRun.objects.count(), AuditEntry.objects.count()) == (1, runs, rows)
    # Also when how far was read is forgotten: the digests and the commits decide.
    GitSource.objects.update(seen_commit="")
    GitFolder.objects.update(tree="")
    assert sync().versions == 0


def test_a_commit_that_changes_nothing_in_the_configuration_makes_no_version(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.commit("Begin")
    text = (repository.work / "agents/clinic/agent.yaml").read_text()
    repository.write("agents/clinic/agent.yaml", f"# Who may change this: the clinic's team\n{text}")
    repository.write("agents/clinic/NOTES.txt", "kept beside it")
    repository.save("Say who may change it")
    assert (sync().commits, names("clinic")) == (2, ["Begin"])


def test_a_merge_is_one_version_and_the_commits_of_its_branch_are_none(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.save("Begin")
    sync()
    repository.git("checkout", "--quiet", "-b", "work")
    for word in ("One", "Two"):
        repository.put("agents/clinic", welcome_message=word)
        repository.commit(f"Try {word}")
    repository.git("checkout", "--quiet", "main")
    repository.put("agents/hotel", welcome_message="Welcome")
    repository.commit("Welcome guests")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Greet better (#7)", "work")
    repository.push()
    sync()
    assert names("clinic") == ["Begin", "Greet better (#7)"]
    assert names("hotel") == ["Begin", "Welcome guests"]


def test_a_fast_forward_to_a_branch_that_merged_ours_brings_nothing_back(repository):
    """The branch's own commits show the other agents as they were when it branched off."""
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.commit("Begin")
    repository.push()
    repository.git("checkout", "--quiet", "-b", "work")
    repository.put("agents/hotel", welcome_message="Welcome")
    repository.commit("Welcome guests")
    repository.git("checkout", "--quiet", "main")
    repository.put("agents/clinic", welcome_message="Hello")
    repository.commit("Greet")
    repository.push()
    sync()
    repository.git("checkout", "--quiet", "work")
    repository.git("merge", "--quiet", "--message", "Take in main", "main")
    repository.push()
    sync()
    assert (names("clinic"), names("hotel")) == (["Begin", "Greet"], ["Begin", "Welcome guests"])
    assert folder("clinic").tree == run("rev-parse", "HEAD:agents/clinic", folder=repository.work).strip()


def test_a_draft_that_was_the_latest_version_follows_and_any_other_stays(repository):
    follow(repository)
    repository.put("agents/clinic", welcome_message="One")
    repository.save("One")
    sync()
    clinic, person = Agent.objects.get(), make_user("editor")
    repository.put("agents/clinic", welcome_message="Two")
    repository.save("Two")
    sync()
    clinic.refresh_from_db()
    assert clinic.draft_id == clinic.versions.get(number=2).configuration_id
    assert clinic.history.latest().history_change_reason == "Follows git: Two"
    mine = make_configuration(name="Clinic", welcome_message="Mine")
    replace_draft(agent=clinic, content=mine, actor=person)
    repository.put("agents/clinic", welcome_message="Three")
    repository.save("Three")
    sync()
    clinic.refresh_from_db()
    assert clinic.draft.load() == mine
    assert names("clinic") == ["One", "Two", "Three"]


def test_an_agent_that_is_here_already_is_the_folder_of_its_address(repository):
    agent = make_agent(slug="clinic", name="Clinic")
    make_version(agent, name="Made here")
    other = make_agent(slug="hotel", name="Hotel")
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel", welcome_message="Welcome")
    repository.save("Everything we have")
    outcome = sync()
    assert (outcome.agents, names("clinic"), names("hotel")) == (0, ["Made here"], ["Everything we have"])
    assert GitVersion.objects.get(agent=agent).kind == "met"
    draft = other.draft_id
    other.refresh_from_db()
    assert other.draft_id == draft


def test_a_folder_that_is_removed_keeps_its_agent_and_flags_it(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.commit("Begin")
    repository.remove("agents/clinic")
    repository.save("Close the clinic")
    sync()
    assert (names("clinic"), folder("clinic").is_removed) == (["Begin"], True)
    assert not Agent.objects.get().is_archived
    repository.put("agents/clinic", welcome_message="Again")
    repository.save("Open it again")
    sync()
    assert (names("clinic"), folder("clinic").is_removed) == (["Begin", "Open it again"], False)


def test_a_renamed_folder_is_the_same_agent(repository):
    follow(repository)
    repository.put("agents/clinic", name="Clinic")
    repository.commit("Begin")
    repository.git("mv", "agents/clinic", "agents/clinic-lyon")
    repository.commit("Name the town")
    repository.git("mv", "agents/clinic-lyon", "agents/lyon")
    repository.put("agents/lyon", name="Clinic", welcome_message="Bonjour")
    repository.save("Speak French")
    sync()
    assert (Agent.objects.count(), names("clinic")) == (1, ["Begin", "Speak French"])
    assert (folder("lyon").agent.slug, GitFolder.objects.count()) == ("clinic", 1)


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


def test_two_agents_of_one_name_are_refused_until_one_is_renamed(repository):
    follow(repository)
    repository.put("agents/clinic", name="Clinic")
    repository.commit("Begin")
    repository.put("agents/annex", name="clinic")
    repository.save("A second one")
    sync()
    assert "annex/agent.yaml, name: The folder clinic holds an agent called “clinic” too" in folder("annex").problem
    assert Agent.objects.count() == 1
    repository.put("agents/clinic", name="Clinic of Lyon")
    repository.save("Say which")
    sync()
    assert (folder("annex").problem, names("annex")) == ("", ["A second one"])
    assert names("clinic") == ["Begin", "Say which"]


def test_an_agent_yaml_that_is_gone_is_a_mistake_and_no_removal(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.commit("Begin")
    (repository.work / "agents/clinic/agent.yaml").unlink()
    repository.save("Oops")
    sync()
    assert folder("clinic").problem.startswith("clinic: agent.yaml is gone.")
    assert not folder("clinic").is_removed


def test_a_rewritten_branch_waits_for_an_admin_and_loses_nothing(repository):
    source, boss = follow(repository), make_user("admin")
    repository.put("agents/clinic", welcome_message="One")
    begin = repository.commit("One")
    repository.put("agents/clinic", welcome_message="Two")
    seen = repository.save("Two")
    sync()
    repository.git("reset", "--quiet", "--hard", begin)
    repository.put("agents/clinic", welcome_message="Three")
    head = repository.commit("Three")
    repository.push("--force")
    for _ in range(2):
        with pytest.raises(GitFailed, match="force-push"):
            sync()
    source.refresh_from_db()
    assert (source.seen_commit, source.rewritten_head, names("clinic")) == (seen, head, ["One", "Two"])
    assert GitRun.objects.exclude(error="").count() == 1
    with pytest.raises(GitSettingRefused, match="once more"):
        accept_rewritten(head=seen, actor=boss)
    accept_rewritten(head=head, actor=boss)
    sync()
    source.refresh_from_db()
    assert (source.seen_commit, source.error, names("clinic")) == (head, "", ["One", "Two", "Three"])
    # Back to a commit that made a version before: another version, tied to the same commit.
    repository.git("reset", "--quiet", "--hard", begin)
    repository.push("--force")
    with pytest.raises(GitFailed):
        sync()
    accept_rewritten(head=begin, actor=boss)
    sync()
    assert names("clinic") == ["One", "Two", "Three", "One"]
    assert GitVersion.objects.filter(commit=begin).values_list("kind", flat=True).order_by("id").last() == "again"


def test_an_archived_agent_is_left_alone_until_it_is_back(repository):
    follow(repository)
    repository.put("agents/clinic", welcome_message="One")
    repository.save("One")
    sync()
    clinic, boss = Agent.objects.get(), make_user("admin")
    archive_agent(agent=clinic, actor=boss)
    repository.put("agents/clinic", welcome_message="Two")
    repository.save("Two")
    sync()
    assert "is archived" in folder("clinic").problem
    unarchive_agent(agent=clinic, actor=boss)
    sync()
    assert (folder("clinic").problem, names("clinic")) == ("", ["One", "Two"])


def test_a_branch_that_is_not_there_and_a_repository_that_cannot_be_reached(repository, tmp_path):
    boss = make_user("admin")
    repository.put("agents/clinic")
    repository.save("Begin")
    follow(repository, boss, branch="release")
    with pytest.raises(GitFailed, match=r"“release” is not in the repository \(there: main\)"):
        sync()
    configure_source(wanted=SourceSettings(str(tmp_path / "nowhere.git"), "main", "agents"), actor=boss)
    with pytest.raises(GitFailed, match="There is no git repository at this address"):
        sync()
    source = GitSource.objects.get()
    assert "no git repository" in source.error
    assert Agent.objects.count() == 0
    follow(repository, boss)
    sync()
    source.refresh_from_db()
    assert (source.error, names("clinic")) == ("", ["Begin"])


def test_a_suspended_sync_does_nothing_and_goes_on_where_it_stopped(repository):
    boss = make_user("admin")
    follow(repository, boss)
    repository.put("agents/clinic")
    repository.save("Begin")
    suspend_source(reason="Release week", actor=boss)
    with pytest.raises(GitSuspended):
        sync()
    resume_source(actor=boss)
    assert sync().versions == 1


def test_another_repository_begins_at_its_head_and_keeps_the_agents(repository, tmp_path):
    boss = make_user("admin")
    follow(repository, boss)
    repository.put("agents/clinic", welcome_message="One")
    repository.save("One")
    sync()
    (tmp_path / "moved").mkdir()
    moved = Repository(tmp_path / "moved")
    for word in ("One", "Two", "Three"):
        moved.put("voice/clinic", welcome_message=word)
        moved.save(word)
    follow(moved, boss, folder="voice")
    sync()
    assert names("clinic") == ["One", "Three"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "ext::sh -c touch% pwned"),
        ("address", "--upload-pack=touch"),
        ("address", "https://ada:secret@git.example.com/agents.git"),
        ("address", "https://token@git.example.com/agents.git"),
        ("address", "http://git.example.com/agents.git"),
        ("address", "-oProxyCommand=x@host:path"),
        ("branch", "--all"),
        ("branch", "main..other"),
        ("folder", "../elsewhere"),
        ("folder", "agents/.git"),
        ("write_branch", "a b"),
    ],
)
def test_settings_that_could_reach_elsewhere_are_refused(field, value):
    fields = {"address": "/srv/agents.git", "branch": "main", field: value}
    with pytest.raises(GitSettingRefused) as refused:
        configure_source(wanted=SourceSettings(**fields), actor=make_user("admin"))
    assert refused.value.field == field


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_have_one_result(repository):
    follow(repository)
    for number in range(6):
        repository.put("agents/clinic", welcome_message=f"Number {number}")
        repository.put("agents/hotel", welcome_message=f"Room {number}")
        repository.commit(f"Change {number}")
    repository.push()
    found, errors = [], []

    def work() -> None:
        try:
            found.append(sync().versions)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(found) == [0, 0, 12]
    assert names("clinic") == [f"Change {number}" for number in range(6)]


def test_a_history_is_read_with_queries_that_do_not_grow_with_its_commits(repository, django_assert_max_num_queries):
    """The bench reads 500 commits of 20 agents; here the shape of its cost: one query for each version, not ten."""
    follow(repository)
    for number in range(20):
        for agent in ("clinic", "hotel", "bank"):
            repository.put(f"agents/{agent}", welcome_message=f"Number {number}")
        repository.commit(f"Change {number}")
    repository.push()
    with django_assert_max_num_queries(60 + 90):
        assert sync().versions == 60
    with django_assert_max_num_queries(15):
        assert sync().commits == 0
