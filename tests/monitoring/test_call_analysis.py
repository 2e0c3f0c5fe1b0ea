"""A call's analysis beside what the version that handled it asks for: a mismatch is flagged, and nothing is dropped."""

import pytest
from django.test import Client

from agentversions.services.tokens import make_token
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db


def test_an_analysis_is_checked_against_the_version_that_handled_the_call(client: Client) -> None:
    agent = make_agent(slug="clinic")
    make_version(agent, name="Nothing asked")
    field = {"name": "topic", "type": "choice", "choices": ["Bills", "Repairs"]}
    make_version(agent, name="Asks for a topic", call_analysis={"prompt": "", "fields": [field]})
    said = {"topic": "Cars", "mood": "calm", "seen": {"car": True}}
    for version in (1, 2):
        record = {"id": f"call-{version}", "agent": "clinic", "version": version, "analysis": said}
        ingest([read_record(record)], source="api")
    viewer = make_user("viewer")
    client.force_login(viewer)
    assert "does not fit" not in client.get("/calls/call-1/").content.decode()
    page = client.get("/calls/call-2/").content.decode()
    assert "“topic” should be one of Bills, Repairs." in page
    assert "calm" in page
    assert "&quot;car&quot;: true" in page
    token = make_token(name="reads", roles=["viewer"], scopes=["read"], owner=viewer, actor=make_user("admin"))
    answer = client.get("/api/v1/calls/call-2", headers={"Authorization": f"Bearer {token.secret}"}).json()
    assert answer["analysis"] == said
    assert answer["analysis_problems"] == [
        "“topic” should be one of Bills, Repairs.",
        "“mood” was not asked for.",
        "“seen” was not asked for.",
    ]
