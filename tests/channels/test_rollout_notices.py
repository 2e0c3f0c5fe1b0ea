"""Every move is told: a webhook whose signature a receiver checks, a mail that a server takes, again when they fail."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest
from django.db import connection, connections, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions.models import Agent, User
from channels.core.rollout_states import Move
from channels.models import RolloutMove
from channels.services.rollout_notices import MAIL_TASK, WEBHOOK_TASK, find_move, send_mail, send_webhook
from tests.mailbox import Mailbox, mail_server

from .moving_rollouts import by_judge, by_person, start

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes ...").decode()


class Receiver(HTTPServer):
    """A receiver of webhooks on loopback; it answers with each of `answers`, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast(Receiver, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = receiver.answers.pop(0) if receiver.answers else 204
        self.send_response(status)
        if status in {301, 302}:
            self.send_header("Location", receiver.url)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    server = Receiver()
    settings.ROLLOUT_WEBHOOK_URL = server.url
    settings.ROLLOUT_WEBHOOK_SECRETS = [SECRET, "the one before"]
    settings.PUBLIC_URL = "https://versions.example.com"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    settings.ROLLOUT_RECIPIENTS = ["ops@example.com"]
    with mail_server(settings) as mailbox:
        yield mailbox


def verify(headers: dict[str, str], body: bytes, secret: bytes) -> bool:
    """As the specification of Standard Webhooks says, written here anew."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return expected in headers["webhook-signature"].split(" ")


@pytest.mark.django_db
def test_a_receiver_can_check_the_signature_and_read_what_happened(
    agent: Agent, operator: User, receiver: Receiver
) -> None:
    rollout = start(agent, operator, reason="New prompt")
    row = by_judge(rollout, Move.ADVANCE)
    send_webhook(find_move(row.pk))
    (headers, body) = receiver.received[0]
    assert verify(headers, body, b"a secret of 24 bytes ...")
    assert verify(headers, body, b"the one before")
    assert not verify(headers, body + b" ", b"the one before")
    assert headers["webhook-id"] == f"rollout-move-{row.pk}"
    document = json.loads(body)
    assert document == {
        "type": "rollout.advanced",
        "timestamp": row.at.isoformat(),
        "data": {
            "rollout": rollout.pk,
            "url": f"https://versions.example.com/rollouts/{rollout.pk}/",
            "agent": "clinic",
            "version": 2,
            "baseline": 1,
            "move": "advance",
            "state": "running",
            "step": 2,
            "share": 25.0,
            "by": "the judge",
            "reason": "The figures say so.",
            "headline": "Advanced to 25 %",
            "words": "25 % of callers get V2, the others V1.",
        },
    }


@pytest.mark.django_db
@pytest.mark.parametrize("status", [302, 400, 503])
def test_anything_but_2xx_is_a_failure_and_no_redirect_is_followed(
    agent: Agent, operator: User, receiver: Receiver, status: int
) -> None:
    receiver.answers = [status]
    row = start(agent, operator).moves.get()
    with pytest.raises(OSError, match=str(status)):
        send_webhook(find_move(row.pk))
    assert len(receiver.received) == 1


@pytest.mark.django_db
def test_who_started_it_and_ops_get_a_mail(agent: Agent, operator: User, mailbox: Mailbox) -> None:
    rollout = start(agent, operator)
    send_mail(find_move(by_person(rollout, Move.ROLL_BACK, operator, "Callers complain").pk))
    recipients, mail = mailbox.mails[0]
    assert recipients == [operator.email, "ops@example.com"]
    assert mail["Subject"] == "Clinic receptionist V1 → V2: rolled back"
    text = mail.get_content()
    assert "Every caller gets V1." in text
    assert f"By {operator}." in text
    assert "Reason: Callers complain" in text
    assert f"/rollouts/{rollout.pk}/" in text


@pytest.mark.django_db
def test_nothing_is_deferred_where_nobody_is_to_be_told_and_a_refused_move_tells_nobody(
    agent: Agent, operator: User, settings: Any
) -> None:
    rollout = start(agent, operator)
    assert not ProcrastinateJob.objects.exists()
    settings.ROLLOUT_WEBHOOK_URL, settings.ROLLOUT_WEBHOOK_SECRETS = "https://hooks.example.com/", ["s"]
    settings.EMAIL_HOST = "mail.example.com"
    with transaction.atomic():
        by_person(rollout, Move.PAUSE, operator)
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.exists()
    row = by_person(rollout, Move.PAUSE, operator)
    jobs = ProcrastinateJob.objects.order_by("id").values_list("task_name", "args")
    assert list(jobs) == [(WEBHOOK_TASK, {"move": row.pk}), (MAIL_TASK, {"move": row.pk})]


def work() -> None:
    """Let a worker do what is due, on a pool of its own, as `config.worker` does."""
    connector = app.connector
    assert isinstance(connector, DjangoConnector)

    def run() -> None:
        with app.replace_connector(connector.get_worker_connector()) as worker_app:
            worker_app.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_is_tried_again_and_the_move_stands_meanwhile(
    agent: Agent, operator: User, receiver: Receiver
) -> None:
    receiver.answers = [503]
    row = start(agent, operator).moves.get()
    work()
    job = ProcrastinateJob.objects.get(task_name=WEBHOOK_TASK)
    assert (job.status, job.attempts, len(receiver.received)) == ("todo", 1, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    work()
    assert ProcrastinateJob.objects.get(task_name=WEBHOOK_TASK).status == "succeeded"
    ids = [headers["webhook-id"] for headers, _ in receiver.received]
    assert ids == [f"rollout-move-{row.pk}"] * 2
    first, again = (cast(dict[str, Any], json.loads(body)) for _, body in receiver.received)
    assert first == again
    assert RolloutMove.objects.count() == 1
