"""The plan of a pull request against a bare repository on disk, and the plan of the next sync."""

import json

import pytest
from django.core.management import CommandError, call_command

from agentversions.models import Agent, AgentVersion, GitSource
from agentversions.services.git.syncing import synchronise
from tests.factories import make_agent, make_version

from .git_repository import Repository, follow


@pytest.fixture
def repository(repository: Repository) -> Repository:
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.put("agents/bank")
    repository.put("agents/inn")
    repository.save("Begin")
    return repository


def branch_off(repository: Repository) -> None:
    """A branch as a pull request holds it, beside a main that went on."""
    repository.git("checkout", "--quiet", "-b", "work")
    repository.put("agents/clinic", welcome_message="Good morning", system_prompt="You are brief.\n")
    repository.commit("Greet by the time of day")
    repository.git("mv", "agents/inn", "agents/tavern")
    repository.put("agents/school")
    repository.write("agents/school/NOTES.txt", "ours")
    repository.remove("agents/bank")
    (repository.work / "agents/link").symlink_to("clinic")
    repository.commit("Open a school, close the bank")
    repository.push(branch="work")
    repository.git("checkout", "--quiet", "main")
    repository.put("agents/hotel", welcome_message="Welcome")
    repository.save("Welcome guests")


def plan(repository: Repository, capsys, *words: str, base: str = "main", head: str = "work") -> str:
    call_command("git_plan", base, head, f"--repository={repository.remote}", "--folder=agents", *words)
    return capsys.readouterr().out


def test_a_pull_request_is_planned_in_words_without_a_database(repository, capsys):
    branch_off(repository)
    said = plan(repository, capsys)
    assert "~ clinic: 1 version\n" in said
    assert "    version “Greet by the time of day”" in said
    assert "    Prompt\n      System prompt " in said
    assert "      Welcome message " in said
    assert "+ school: a new agent, 1 version" in said
    assert "    left out: NOTES.txt" in said
    assert "- bank: the folder is gone; the agent stays, with all its versions" in said
    assert "→ tavern: renamed from inn" in said
    assert "link is a symbolic link and is left out." in said
    assert "hotel" not in said


def test_the_plan_as_json_names_every_difference(repository, capsys):
    branch_off(repository)
    document = json.loads(plan(repository, capsys, "--json"))
    kinds = {agent["folder"]: agent["kind"] for agent in document["agents"]}
    assert kinds == {"clinic": "changed", "school": "new", "bank": "removed", "tavern": "renamed"}
    clinic = next(agent for agent in document["agents"] if agent["folder"] == "clinic")
    assert {change["path"] for change in clinic["changes"]} == {"system_prompt", "welcome_message"}
    assert document["head"] == repository.head("work")


def test_exit_codes_tell_changed_invalid_and_same_apart(repository, capsys):
    assert "Nothing would change." in plan(repository, capsys, "--exit-code", head="main")
    branch_off(repository)
    with pytest.raises(CommandError) as changed:
        plan(repository, capsys, "--exit-code")
    assert changed.value.returncode == 2
    repository.git("checkout", "--quiet", "work")
    repository.write("agents/clinic/agent.yaml", "name: Clinic\nmodel: {temperature: 9}\n")
    repository.commit("Too hot")
    repository.push(branch="work")
    with pytest.raises(CommandError) as invalid:
        plan(repository, capsys)
    assert invalid.value.returncode == 1
    assert "clinic/agent.yaml, model.temperature: Temperature must be at most 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "main"), "no commit “nowhere”"),
        (("--", "--all", "main"), "no commit “--all”"),
        (("main", "main", "--folder=../x"), "Write the folder"),
        (("main", "main", "--repository=/nonexistent"), "There is no folder"),
    ],
)
def test_what_is_not_there_is_said(repository, words, said):
    with pytest.raises(CommandError, match=said):
        call_command("git_plan", f"--repository={repository.remote}", *words)


@pytest.mark.django_db
def test_the_plan_of_a_sync_says_what_the_sync_then_does(repository, capsys):
    follow(repository)
    synchronise(trigger="test")
    make_version(Agent.objects.get(slug="hotel"), name="Published here", welcome_message="Hello")
    repository.put("agents/clinic", welcome_message="One")
    repository.commit("One")
    repository.put("agents/clinic", welcome_message="Two")
    repository.put("agents/hotel", welcome_message="Hello")
    repository.save("Two")
    call_command("git_sync", "--plan")
    said = capsys.readouterr().out
    assert "~ clinic: 2 versions" in said
    assert "hotel" not in said
    assert (AgentVersion.objects.count(), GitSource.objects.get().behind) == (5, 2)
    with pytest.raises(CommandError) as changed:
        call_command("git_sync", "--plan", "--exit-code", "--json")
    assert changed.value.returncode == 2
    assert synchronise(trigger="test").versions == 2
    capsys.readouterr()
    call_command("git_sync", "--plan", "--exit-code")
    assert capsys.readouterr().out == "Nothing would change.\n"


@pytest.mark.django_db
def test_the_plan_of_a_first_sync_knows_who_is_here_already(repository, capsys):
    make_version(make_agent(slug="clinic", name="Clinic", welcome_message="Other"))
    follow(repository)
    call_command("git_sync", "--plan")
    said = capsys.readouterr().out
    assert "~ clinic: 1 version" in said
    assert "+ hotel: a new agent, 1 version" in said
