"""The webhook over HTTP: genuine or refused, done once, and what it asks for."""

import hashlib
import hmac
import json

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import AgentVersion, GitDelivery
from agentversions.services.git.source import suspend_source
from agentversions.tasks import sync_with_git
from tests.factories import make_user

from .git_repository import Repository, follow

pytestmark = pytest.mark.django_db
SECRET = "a long shared secret"


@pytest.fixture
def repository(repository: Repository, settings) -> Repository:
    settings.GIT_SYNC_WEBHOOK_SECRETS = ["the new one", SECRET]
    return repository


def post(
    client: Client, *, body: bytes | None = None, ref="refs/heads/main", secret=SECRET, event="push", delivery="d-1"
):
    body = json.dumps({"ref": ref}).encode() if body is None else body
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": event, "X-GitHub-Delivery": delivery}
    return client.post("/git/webhook", body, content_type="application/json", headers=headers)


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="agentversions.git_sync").count()


def test_a_merge_becomes_a_version_through_the_webhook(repository, client):
    follow(repository)
    repository.put("agents/clinic")
    repository.save("Answer the phone")
    assert post(client).status_code == 202
    job = ProcrastinateJob.objects.get(task_name="agentversions.git_sync")
    sync_with_git(**job.args)
    assert AgentVersion.objects.get().name == "Answer the phone"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha1=0"},
        {"X-Hub-Signature-256": "é"},
        {"X-Hub-Signature": "sha1=" + "0" * 40},
    ],
)
def test_a_wrong_signature_is_401_and_nothing_is_done(repository, client, headers):
    follow(repository)
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1", **headers}
    answer = client.post("/git/webhook", b'{"ref": "refs/heads/main"}', "application/json", headers=headers)
    assert (answer.status_code, jobs(), GitDelivery.objects.count()) == (401, 0, 0)
    assert "GIT_SYNC_WEBHOOK_SECRET" in answer.json()["detail"]


def test_without_a_secret_everything_is_refused(repository, client, settings):
    settings.GIT_SYNC_WEBHOOK_SECRETS = []
    follow(repository)
    assert post(client, secret="").status_code == 401
    assert jobs() == 0


def test_a_replayed_delivery_is_done_once(repository, client):
    follow(repository)
    first = post(client)
    ProcrastinateJob.objects.all().exists()
    again = post(client)
    assert (first.status_code, again.status_code) == (202, 200)
    assert (jobs(), GitDelivery.objects.count()) == (1, 1)
    assert "twice" in again.json()["detail"]


def test_two_deliveries_before_a_look_ask_for_one(repository, client):
    follow(repository)
    assert [post(client, delivery=f"d-{number}").status_code for number in range(2)] == [202, 202]
    assert (jobs(), GitDelivery.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"ref": "refs/heads/work"}, "“work” is not followed"),
        ({"ref": "refs/tags/v1"}, "no branch was pushed"),
        ({"event": "ping"}, "only pushes"),
        ({"body": b"[]"}, "no branch was pushed"),
    ],
)
def test_what_is_of_no_interest_is_noted_and_asks_for_nothing(repository, client, sent, words):
    follow(repository)
    answer = post(client, **sent)
    assert (answer.status_code, jobs(), GitDelivery.objects.count()) == (200, 0, 1)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "sent", [{"body": b"{"}, {"body": b"ref=x"}, {"delivery": ""}, {"delivery": "d" * 101}, {"event": ""}]
)
def test_what_cannot_be_read_is_refused_and_may_be_sent_again(repository, client, sent):
    follow(repository)
    assert post(client, **sent).status_code == 400
    assert (jobs(), GitDelivery.objects.count()) == (0, 0)


def test_while_suspended_a_delivery_is_only_noted(repository, client):
    boss = make_user("admin")
    follow(repository, boss)
    suspend_source(actor=boss)
    assert "suspended" in post(client).json()["detail"]
    assert jobs() == 0


def test_only_post_is_taken_and_no_session_is_needed(client):
    assert client.get("/git/webhook").status_code == 405
