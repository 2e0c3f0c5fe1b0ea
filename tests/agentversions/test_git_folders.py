"""Which folder is which agent: removed, renamed, of one name, archived."""

import pytest

from agentversions.models import Agent, GitFolder
from agentversions.services.agents import archive_agent, unarchive_agent
from tests.factories import make_user

from .git_repository import folder, follow, names, sync

pytestmark = pytest.mark.django_db


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


def test_a_folder_takes_the_name_that_another_gave_up(repository):
    follow(repository)
    for name in ("bank", "clinic"):
        repository.put(f"agents/{name}", name=name)
    repository.save("Begin")
    sync()
    repository.git("mv", "agents/clinic", "agents/hotel")
    repository.commit("The clinic is a hotel now")
    repository.git("mv", "agents/bank", "agents/clinic")
    repository.save("The bank moved into the clinic")
    sync()
    assert {row.folder: row.agent.slug for row in GitFolder.objects.all()} == {"hotel": "clinic", "clinic": "bank"}
    assert (names("bank"), names("clinic")) == (["Begin"], ["Begin"])


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
