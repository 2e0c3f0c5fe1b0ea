"""Approvals pressed at the same moment: real threads with transactions of their own, on a real PostgreSQL."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.db import connection

from agentversions.core.release import RequestState, Verdict
from agentversions.models import ApprovalDecision, ApprovalRequest, Deployment, User
from agentversions.services.approvals import decide, withdraw_request
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.errors import AlreadyDecided, RequestMoved, RequestOver
from agentversions.services.rollback_reviews import review_rollback, waiting_rollbacks
from tests.factories import make_user, make_version

from .releases import approve, ask, make_release, say

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*presses: Callable[[], object]) -> list[str]:
    """Everybody presses together; in order `done`, or the name of the refusal."""
    barrier = threading.Barrier(len(presses))
    said = ["never answered"] * len(presses)

    def work(number: int, press: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            press()
            said[number] = "done"
        except Exception as error:
            said[number] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=each) for each in enumerate(presses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return said


def presses(request: ApprovalRequest, people: Sequence[User]) -> list[Callable[[], object]]:
    """Each of these people approves."""
    return [partial(approve, request, person) for person in people]


def test_of_several_who_approve_at_once_exactly_one_completes_it_and_the_others_are_told() -> None:
    release = make_release(approvals=1)
    request = ask(release, goes_live=True)
    people = [make_user("approver") for _ in range(4)]
    assert Counter(at_once(*presses(request, people))) == {"done": 1, RequestOver.__name__: 3}
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert ApprovalDecision.objects.count() == 1
    assert Deployment.objects.filter(version=release.second).count() == 1


def test_two_that_are_needed_may_press_at_once_and_the_later_one_completes_it() -> None:
    release = make_release(approvals=2)
    request = ask(release, goes_live=True)
    assert at_once(*presses(request, [release.approver, release.admin])) == ["done", "done"]
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert request.ended_by == ApprovalDecision.objects.order_by("-id")[0].person
    assert Deployment.objects.filter(version=release.second).count() == 1


def test_one_approver_who_presses_twice_counts_once() -> None:
    release = make_release(approvals=2)
    request = ask(release)
    assert Counter(at_once(*presses(request, [release.approver] * 3))) == {"done": 1, AlreadyDecided.__name__: 2}
    request.refresh_from_db()
    assert request.is_open
    assert ApprovalDecision.objects.count() == 1


def test_approving_and_taking_back_at_once_ends_it_one_way() -> None:
    release = make_release(approvals=1)
    for number in range(3):
        version = make_version(release.agent, release.editor, welcome_message=f"Hi {number}")
        request = ask(release, version, goes_live=True)
        said = at_once(
            partial(approve, request, release.approver),
            partial(withdraw_request, request=request, actor=release.editor),
        )
        request.refresh_from_db()
        is_live = live_version(release.agent) == version
        assert (said, request.state, is_live) in (
            (["done", RequestOver.__name__], RequestState.APPROVED.value, True),
            ([RequestOver.__name__, "done"], RequestState.WITHDRAWN.value, False),
        )


def test_approving_while_the_author_publishes_anew_approves_exactly_what_was_looked_at() -> None:
    release = make_release(approvals=1)
    request = ask(release, goes_live=True)
    said = at_once(
        lambda: approve(request, release.approver),
        lambda: make_version(release.agent, release.editor, welcome_message="Something else"),
    )
    assert said == ["done", "done"]
    request.refresh_from_db()
    assert (request.state, request.digest) == (RequestState.APPROVED, release.second.configuration_id)
    live = live_version(release.agent)
    assert live is not None
    assert live.configuration_id == request.digest
    assert release.agent.versions.newest_first()[0].configuration_id != request.digest


def test_approving_while_another_version_goes_live_never_counts_for_what_was_not_seen() -> None:
    release = make_release(approvals=1)
    third = make_version(release.agent, release.editor, welcome_message="Third")
    approve(ask(release, third), release.approver)
    request = ask(release, goes_live=True)
    seen: dict[str, Any] = {"verdict": Verdict.APPROVE, "digest": request.digest, "seen_live": 1}
    said = at_once(
        partial(decide, request=request, **seen, actor=release.approver),
        partial(make_live, version=third, actor=release.operator),
    )
    request.refresh_from_db()
    assert said[1] == "done"
    if said[0] == "done":
        assert ApprovalDecision.objects.get(request=request).live == release.first
    else:
        assert said[0] == RequestMoved.__name__
        assert request.is_open
        assert not request.decisions.exists()


def test_approving_and_asking_for_changes_at_once_leaves_one_verdict_in_force() -> None:
    release = make_release(approvals=1)
    request = ask(release)
    said = at_once(
        lambda: approve(request, release.approver), lambda: say(request, Verdict.CHANGES, release.admin, "Too long")
    )
    assert sorted(said) == [RequestOver.__name__, "done"]
    request.refresh_from_db()
    assert request.decisions.count() == 1
    assert request.state == (RequestState.APPROVED if said[0] == "done" else RequestState.CHANGES)


def test_a_rollback_is_looked_at_once() -> None:
    release = make_release(approvals=1)
    approve(ask(release, goes_live=True), release.approver)
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    review = waiting_rollbacks().get()
    said = at_once(
        lambda: review_rollback(review=review, note="One", actor=release.approver),
        lambda: review_rollback(review=review, note="Two", actor=release.admin),
    )
    assert sorted(said) == [RequestOver.__name__, "done"]
    review.refresh_from_db()
    assert review.note == ("One" if said[0] == "done" else "Two")
