"""A call becomes a case of an evaluation suite in two clicks, for whoever may read it and write cases."""

import pytest
from django.test import Client

from agentversions.models import EvaluationSuite
from agentversions.services.evaluations.suites import cases_of, create_suite
from monitoring.core.records import read_record
from monitoring.services.ingest import ingest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TURNS = [
    {"role": "assistant", "text": "Hello"},
    {"role": "user", "text": "Where is my order 7?"},
    {"role": "tool", "tool": "get_order", "data": {"state": "sent"}},
    {"role": "assistant", "text": "It was sent."},
]


def client_of(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user(*roles))
    return client


def test_a_call_becomes_a_case_in_two_clicks() -> None:
    ingest([read_record({"id": "call-1", "transcript": TURNS})], source="api")
    suite = create_suite(name="Orders", actor=make_user())
    client = client_of("editor", "call-reviewer")
    assert "Add this call as a case" in client.get("/calls/call-1/").content.decode()
    form = client.post("/calls/case/", {"call": "call-1", "suite": "orders"}).content.decode()
    assert "take names, numbers and whatever else is personal out" in form
    for shown in ("Call call-1", "Where is my order 7?", "It was sent.", "get_order", 'value="meaning" selected'):
        assert shown in form
    sent = {
        "name": "order", "turns-0-role": "user", "turns-0-text": "Where is my order 7?", "fixtures": "",
        "expect-0-kind": "golden", "expect-0-text": "It was sent.", "expect-0-option": "meaning",
    }  # fmt: skip
    assert client.post("/evaluations/orders/cases/new/", sent).status_code == 302
    latest = EvaluationSuite.objects.get(pk=suite.pk).latest
    assert latest is not None
    (case,) = cases_of(latest)
    assert case.is_judged


def test_who_may_not_read_the_words_or_write_cases_is_not_offered_it() -> None:
    ingest([read_record({"id": "call-1", "transcript": TURNS})], source="api")
    create_suite(name="Orders", actor=make_user())
    for role in ("editor", "call-reviewer"):
        client = client_of(role)
        assert "Add this call as a case" not in client.get("/calls/call-1/").content.decode()
        assert client.post("/calls/case/", {"call": "call-1", "suite": "orders"}).status_code == 403
    assert client_of("admin").post("/calls/case/", {"call": "none", "suite": "orders"}).status_code == 404
