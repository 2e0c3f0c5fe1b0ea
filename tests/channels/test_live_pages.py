"""Making live and rolling back from the pages, what follows publishing, and who hears a draft."""

import pytest
from django.test import Client

from agentversions.models import Agent
from agentversions.services.deployments import live_version, make_live
from agentversions.services.drafts import replace_draft
from channels.core.routes import Follow, Target, single
from channels.models import Channel
from channels.services.draft_serving import applied_draft
from channels.services.routes import pin
from tests.factories import make_agent, make_channel, make_configuration, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("editor", "operator"))
    return client


@pytest.fixture
def agent() -> Agent:
    agent = make_agent(slug="clinic")
    for number in range(1, 4):
        make_version(agent, name=f"Version {number}", system_prompt=f"Prompt {number}.")
    make_live(version=agent.versions.get(number=2), actor=agent.created_by)
    return Agent.objects.with_draft().get(pk=agent.pk)


def live_number(agent: Agent) -> int:
    version = live_version(agent)
    assert version is not None
    return version.number


def test_the_dialog_shows_what_changes_and_who_moves(client: Client, agent: Agent) -> None:
    follower = make_channel(agent, plan=single(Target("clinic", Follow.LIVE)))
    pinned = make_channel(agent)
    page = client.get("/agents/clinic/versions/3/live/").content.decode()
    assert "Make V3 live?" in page
    assert "System prompt" in page
    assert "1 channel follows Live and moves" in page
    assert follower.shown in page
    assert pinned.shown not in page
    assert client.post("/agents/clinic/versions/3/live/", {"seen": "2"}).status_code == 302
    assert live_number(agent) == 3


def test_going_back_needs_a_reason_and_reads_as_what_happened(client: Client, agent: Agent) -> None:
    refused = client.post("/agents/clinic/versions/1/live/", {"seen": "2", "reason": " "})
    assert refused.status_code == 422
    assert "Say why you roll back" in refused.content.decode()
    assert client.post("/agents/clinic/versions/1/live/", {"seen": "2", "reason": "Complaints"}).status_code == 302
    page = client.get("/agents/clinic/live/history/").content.decode()
    assert page.index("Rolled back to") < page.index("Made live:")
    assert "Complaints" in page


def test_somebody_else_was_faster(client: Client, agent: Agent) -> None:
    make_live(version=agent.versions.get(number=3), actor=agent.created_by)
    answer = client.post("/agents/clinic/versions/1/live/", {"seen": "2", "reason": "Complaints"})
    assert answer.status_code == 422
    assert "Somebody made V3 live meanwhile" in answer.content.decode()
    assert live_number(agent) == 3


def test_the_panel_and_the_version_offer_it_to_operators_only(client: Client, agent: Agent) -> None:
    address = "/agents/clinic/versions/3/live/"
    for page in ("/agents/clinic/versions/", "/agents/clinic/versions/3/"):
        assert address in client.get(page).content.decode()
        editor = Client()
        editor.force_login(make_user("editor"))
        assert address not in editor.get(page).content.decode()


def test_after_publishing_it_is_pinned_on_chosen_numbers_and_undone(client: Client, agent: Agent) -> None:
    chosen, other = make_channel(agent), make_channel(agent)
    page = client.get("/agents/clinic/publish/after/").content.decode()
    assert "Where does V3 go?" in page
    assert chosen.address in page
    sent = {"channel": [chosen.address], f"shown-{chosen.address}": chosen.route_id, "reason": "Release"}
    answer = client.post("/agents/clinic/versions/3/pin/", sent)
    assert answer.status_code == 302
    routes = {str(channel.route) for channel in Channel.objects.with_route().filter(pk=chosen.pk)}
    assert routes == {"clinic V3"}
    assert str(Channel.objects.with_route().get(pk=other.pk).route) == "clinic Draft"
    assert "/undo/" in client.get("/agents/clinic/versions/3/").content.decode()


def test_a_number_that_moved_while_the_dialog_was_open_is_not_pinned(client: Client, agent: Agent) -> None:
    channel = make_channel(agent)
    sent = {"channel": [channel.address], f"shown-{channel.address}": channel.route_id}
    pin(channel=channel, target=Target("clinic", Follow.VERSION, 1), actor=agent.created_by)
    answer = client.post("/agents/clinic/versions/3/pin/", sent)
    assert answer.status_code == 422
    assert f"Somebody changed {channel} meanwhile" in answer.content.decode()
    assert str(Channel.objects.with_route().get(pk=channel.pk).route) == "clinic V1"
    assert "Nothing would change" in client.post("/agents/clinic/versions/3/pin/", {}).content.decode()


def test_the_editor_says_who_hears_the_draft(client: Client, agent: Agent) -> None:
    address = "/agents/clinic/draft/followers/"
    assert address in client.get("/agents/clinic/").content.decode()
    assert "alert" not in client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "No live channel follows this draft" in client.get(address).content.decode()
    make_channel(agent)
    page = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "1 live channel follows this draft" in page
    assert "every edit reaches callers at once" in page


def test_edits_wait_for_apply(client: Client, agent: Agent) -> None:
    make_channel(agent)
    serving = "/agents/clinic/draft/serving/"
    htmx = {"HX-Request": "true"}
    assert "new edits wait for Apply" in client.post(serving, {"step": "wait"}, headers=htmx).content.decode()
    replace_draft(agent=agent, content=make_configuration(system_prompt="New."), actor=agent.created_by)
    page = client.get("/agents/clinic/draft/followers/", headers=htmx).content.decode()
    assert "<strong>1 edit waits</strong>" in page
    assert "Apply 1 edit" in page
    assert client.post(serving, {"step": "apply"}).status_code == 302
    agent.refresh_from_db()
    applied = applied_draft(agent)
    assert applied is not None
    assert applied.digest == agent.draft_id
    client.post(serving, {"step": "at-once"})
    assert applied_draft(agent) is None
    assert client.post(serving, {"step": "apply"}, headers=htmx).status_code == 409
