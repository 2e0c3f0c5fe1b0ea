"""E-mail about approvals and what is live, through a real mail server on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from agentversions import tasks
from agentversions.core.release import Verdict
from agentversions.services.approval_notices import LIVE_TASK, REQUEST_TASK
from agentversions.services.deployments import make_live, roll_back
from tests.factories import make_user, make_version
from tests.mailbox import Mailbox, mail_server

from .releases import Release, approve, ask, make_release, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    settings.PUBLIC_URL = "https://versions.example.com"
    with mail_server(settings) as mailbox:
        yield mailbox


def deliver() -> None:
    """Do the jobs that wait, as a worker does."""
    does = {REQUEST_TASK: tasks.send_approval_mail, LIVE_TASK: tasks.send_live_mail}
    for job in ProcrastinateJob.objects.filter(status="todo", task_name__in=does).order_by("id"):
        does[job.task_name](**job.args)


@pytest.fixture
def release(mailbox: Mailbox) -> Release:
    made = make_release(approvals=1)
    deliver()
    mailbox.mails.clear()
    clear()
    return made


def clear() -> None:
    """Forget the jobs that were done."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded'")


def test_approvers_are_asked_and_the_author_hears_that_it_is_approved_and_live(
    release: Release, mailbox: Mailbox
) -> None:
    request = ask(release, goes_live=True)
    deliver()
    assert sorted(to[0] for to, _ in mailbox.mails) == ["adam@example.com", "anna@example.com"]
    _, mail = mailbox.mails[0]
    assert mail["Subject"] == "Clinic receptionist V2: emma asks for approval"
    assert "It goes live when it is approved." in mail.get_content()
    assert f"https://versions.example.com/approvals/{request.pk}/" in mail.get_content()
    mailbox.mails.clear()
    clear()
    approve(request, release.approver)
    deliver()
    assert [(to, mail["Subject"]) for to, mail in mailbox.mails] == [
        (["emma@example.com"], "Clinic receptionist V2: approved"),
    ]
    assert "V2 went live." in mailbox.mails[0][1].get_content()


def test_the_author_hears_of_changes_and_of_a_rollback(release: Release, mailbox: Mailbox) -> None:
    request = ask(release)
    clear()
    say(request, Verdict.CHANGES, release.approver, "Too long for the phone")
    deliver()
    assert "Too long for the phone" in mailbox.mails[0][1].get_content()
    mailbox.mails.clear()
    clear()
    approve(ask(release, goes_live=True), release.approver)
    clear()
    mailbox.mails.clear()
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    deliver()
    assert [mail["Subject"] for _, mail in mailbox.mails] == [
        "Clinic receptionist V1 is live",
        "Clinic receptionist V2 was rolled back to V1",
    ]
    assert "Reason: Complaints" in mailbox.mails[1][1].get_content()


def test_the_author_hears_when_somebody_else_makes_it_live_and_not_what_they_did_themselves(
    release: Release, mailbox: Mailbox
) -> None:
    both = make_user("operator", "approver", username="both")
    make_live(version=release.second, reason="Outage", override_reason="Flu season", actor=both)
    deliver()
    assert [(to, mail["Subject"]) for to, mail in mailbox.mails] == [
        (["emma@example.com"], "Clinic receptionist V2 is live"),
    ]
    text = mailbox.mails[0][1].get_content()
    assert "By both." in text
    assert "https://versions.example.com/agents/clinic/versions/2/" in text
    mailbox.mails.clear()
    clear()
    mine = make_version(release.agent, both, welcome_message="Mine")
    approve(ask(release, mine), release.approver)
    clear()
    make_live(version=mine, actor=both)
    deliver()
    assert mailbox.mails == []


def test_without_a_mail_server_or_after_a_rollback_of_the_transaction_nothing_waits(
    release: Release, settings: Any
) -> None:
    with transaction.atomic():
        ask(release)
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.filter(status="todo").exists()
    settings.EMAIL_HOST = ""
    ask(release)
    assert not ProcrastinateJob.objects.filter(status="todo").exists()
