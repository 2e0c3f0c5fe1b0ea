"""Which commits of the followed branch become versions, and of what: a real repository, pushed to by git."""

import pytest

from agentversions.core.reading import write_body
from agentversions.models import Agent, AgentVersion, AuditEntry, GitFolder, GitRun, GitSource, GitVersion
from agentversions.services.drafts import replace_draft
from tests.factories import make_agent, make_configuration, make_user, make_version

from .git_repository import folder, follow, names, run, sync

pytestmark = pytest.mark.django_db


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
