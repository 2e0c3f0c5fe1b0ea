"""The page Git and the API's git operations: what they say, and who may change what."""

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import Agent, AuditEntry, GitSource
from agentversions.services.deployments import make_live
from agentversions.services.git.errors import GitFailed
from agentversions.services.git.syncing import synchronise
from tests.factories import make_agent, make_user, make_version

from .api_client import ApiClient
from .git_repository import follow

pytestmark = pytest.mark.django_db


def browser(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user(*roles))
    return client


def page(client: Client) -> str:
    return " ".join(client.get("/git/").content.decode().split())


def test_the_page_leads_an_admin_from_nothing_to_a_followed_repository(repository):
    admin, viewer = browser("admin"), browser("viewer")
    assert "Follow a repository" in page(admin)
    assert "An admin chooses the repository" in page(viewer)
    wrong = {"address": "https://ada:secret@example.com/x.git", "branch": "main", "folder": "agents"}
    refused = admin.post("/git/settings/", wrong)
    assert refused.status_code == 422
    assert "GIT_SYNC_TOKEN" in refused.content.decode()
    assert 'value="agents"' in refused.content.decode()
    right = {**wrong, "address": str(repository.remote), "write_branch": "agent-versions"}
    assert admin.post("/git/settings/", right).status_code == 302
    source = GitSource.objects.get()
    assert (source.address, source.write_branch, source.write_since is not None) == (
        str(repository.remote),
        "agent-versions",
        True,
    )
    assert ProcrastinateJob.objects.filter(task_name="agentversions.git_sync").exists()
    entry = AuditEntry.objects.get(action="git settings changed")
    assert (entry.before, entry.after["branch"]) == (None, "main")
    assert "Not looked at yet" in page(viewer)
    assert "Sync now" not in page(viewer)


def test_the_page_says_where_agents_and_folders_differ(repository):
    follow(repository)
    repository.put("agents/clinic")
    repository.put("agents/hotel")
    repository.put("agents/bank")
    repository.commit("Begin")
    repository.put("agents/clinic", welcome_message="Two")
    repository.write("agents/school/agent.yaml", "name: 3")
    repository.remove("agents/bank")
    repository.save("Two")
    synchronise(trigger="webhook")
    make_live(version=Agent.objects.get(slug="clinic").versions.get(number=1), actor=make_user("operator"))
    make_live(version=Agent.objects.get(slug="bank").versions.get(), actor=make_user("operator"))
    make_version(Agent.objects.get(slug="hotel"), name="Here", welcome_message="Here")
    make_version(make_agent(slug="inn"))
    said = page(browser("viewer"))
    assert "Up to date" in said
    assert "V1 is live, and differs." in said
    assert "V2 is not in the branch." in said
    assert "Its folder was removed; V1 is live." in said
    assert "Is not in the repository." in said
    assert "school/agent.yaml, name: " in said
    assert "2 commits, 4 versions, 3 new agents" in said
    answer = ApiClient("viewer").get("/git").json()
    assert (answer["state"], answer["behind"], answer["seen_commit"]) == ("well", 0, repository.head())
    assert {row["folder"]: row["agent"] for row in answer["drift"]} == {
        "bank": "bank",
        "clinic": "clinic",
        "hotel": "hotel",
        "school": None,
        "": "inn",
    }


def test_a_rewritten_branch_is_accepted_on_the_page(repository):
    follow(repository)
    repository.put("agents/clinic", welcome_message="One")
    repository.save("One")
    synchronise(trigger="test")
    repository.put("agents/clinic", welcome_message="Two")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--amend", "--message", "Two")
    repository.push("--force")
    with pytest.raises(GitFailed):
        synchronise(trigger="test")
    admin = browser("admin")
    assert "force-push" in page(admin)
    assert f"Go on from {repository.head()[:10]}" in page(admin)
    assert "Go on from" not in page(browser("editor"))
    admin.post("/git/accept/", {"head": "0" * 40})
    assert GitSource.objects.get().rewritten_head
    admin.post("/git/accept/", {"head": repository.head()})
    assert synchronise(trigger="test").versions == 1
    assert "Up to date" in page(admin)


def test_the_switch_suspends_with_a_reason_and_resumes(repository):
    follow(repository)
    admin = browser("admin")
    admin.post("/git/suspend/", {"reason": "Release week\x00"})
    assert "nothing is read and nothing is written" in page(admin)
    assert AuditEntry.objects.get(action="git sync suspended").reason == "Release week"
    admin.post("/git/sync/")
    assert not ProcrastinateJob.objects.filter(task_name="agentversions.git_sync").exists()
    admin.post("/git/resume/")
    assert "nothing is read and nothing is written" not in page(admin)
    assert ProcrastinateJob.objects.filter(task_name="agentversions.git_sync").exists()


def test_a_version_names_its_commit_and_its_author(repository):
    follow(repository)
    repository.put("agents/clinic")
    commit = repository.save("Begin")
    synchronise(trigger="test")
    client = browser("viewer")
    detail = client.get("/agents/clinic/versions/1/").content.decode()
    assert commit in detail
    assert "Ada Lovelace" in detail
    panel = client.get("/agents/clinic/versions/").content.decode()
    assert "git: <bdi>Ada Lovelace</bdi>" in panel


def test_the_api_asks_for_a_sync_and_says_why_it_cannot(repository):
    admin = ApiClient("admin")
    assert admin.post("/git/sync").status_code == 409
    assert admin.get("/git").json()["state"] == "off"
    follow(repository)
    assert admin.post("/git/sync").status_code == 202
    assert ProcrastinateJob.objects.filter(task_name="agentversions.git_sync").count() == 1
    assert ApiClient("editor").post("/git/sync").status_code == 403


def test_the_page_costs_the_same_for_many_agents(repository, django_assert_max_num_queries):
    follow(repository)
    for number in range(12):
        repository.put(f"agents/agent-{number}")
    repository.save("Many")
    synchronise(trigger="test")
    client = browser("viewer")
    client.get("/git/")
    with django_assert_max_num_queries(14):
        client.get("/git/")
