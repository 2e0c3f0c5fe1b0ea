"""Downloads: who may have them, what they are called, and that they come back the same."""

import json

import pytest

from agentversions.core.exchange import read_agent
from agentversions.core.importing import read_import
from agentversions.core.reading import write_body
from agentversions.core.zip_files import read_zip
from agentversions.models import Agent
from tests.factories import make_agent, make_user, make_version
from tests.independent_json import digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    agent = make_agent(slug="clinic", folder="Front desk")
    make_version(agent, name="First")
    make_version(agent, name="Second", welcome_message="Guten Tag")
    return Agent.objects.get()


@pytest.fixture
def viewer(client):
    client.force_login(make_user("viewer"))
    return client


@pytest.mark.parametrize("shape", ["json", "zip"])
def test_a_version_is_downloaded_and_imported_with_its_digest(viewer, agent, shape):
    answer = viewer.get(f"/agents/clinic/versions/2/export/?as={shape}")
    assert answer["Content-Disposition"] == f'attachment; filename="clinic-v2.{shape}"'
    imported = read_import(f"a.{shape}", answer.content)
    assert write_body(imported.configuration) == agent.versions.get(number=2).configuration.body


def test_the_json_of_a_version_says_which_it_is_and_its_digest_can_be_checked(viewer, agent):
    document = json.loads(viewer.get("/agents/clinic/versions/1/export/").content)
    assert document["format"] == "agent-versions/1"
    assert (document["agent"], document["version"]["number"], document["version"]["name"]) == ("clinic", 1, "First")
    assert digest(document["configuration"]) == document["version"]["digest"]


@pytest.mark.parametrize("shape", ["json", "zip"])
def test_an_agent_is_downloaded_with_all_its_versions(viewer, agent, shape):
    answer = viewer.get(f"/agents/clinic/export/?as={shape}")
    copy = read_agent(answer.content)
    assert answer["Content-Disposition"] == f'attachment; filename="clinic.{shape}"'
    assert [(version.number, version.name) for version in copy.versions] == [(1, "First"), (2, "Second")]
    assert (copy.folder, copy.draft) == ("Front desk", agent.draft.body)


def test_the_archive_of_a_version_is_the_portable_folder(viewer, agent):
    files = read_zip(viewer.get("/agents/clinic/versions/1/export/?as=zip").content)
    assert sorted(files) == ["agent.yaml", "prompt.md", "tools/transfer_to_human.json", "workflow.json"]


@pytest.mark.parametrize("address", ["/agents/clinic/export/", "/agents/clinic/versions/1/export/"])
def test_who_may_download(client, viewer, agent, address):
    assert viewer.get(address).status_code == 200
    assert viewer.post(address).status_code == 405
    assert viewer.get(address.replace("clinic", "nobody")).status_code == 404
    client.force_login(make_user(username="guest", is_active=True))
    nobody = make_user(username="roleless")
    nobody.roles = []
    nobody.save(update_fields=["roles"])
    client.force_login(nobody)
    assert client.get(address).status_code == 403
    client.logout()
    assert client.get(address).status_code == 302


def test_an_unknown_version_is_a_404(viewer, agent):
    assert viewer.get("/agents/clinic/versions/9/export/").status_code == 404
