"""Approvals: never by the author, each person once, for one digest; what is approved goes live in the same moment."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from agentversions.core.release import RequestState, Verdict
from agentversions.models import ApprovalComment, ApprovalDecision, ApprovalRequest, AuditEntry, RollbackReview
from agentversions.services.approval_comments import comment, lines_at
from agentversions.services.approvals import ask_approval, decide, withdraw_request
from agentversions.services.deployments import live_version, make_live, roll_back
from agentversions.services.errors import (
    AlreadyDecided,
    NotAllowed,
    NotReady,
    OwnWork,
    ReasonMissing,
    RequestMoved,
    RequestOpen,
    RequestOver,
    RequestRefused,
)
from agentversions.services.freezes import create_freeze
from agentversions.services.readiness import readiness_of
from agentversions.services.release_rules import set_rules
from agentversions.services.rollback_reviews import review_rollback, waiting_rollbacks
from tests.factories import make_user, make_version

from .releases import Release, approve, ask, make_release, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def release() -> Release:
    return make_release(approvals=1)


def test_nothing_is_asked_of_an_agent_without_rules() -> None:
    release = make_release()
    assert make_live(version=release.second, actor=release.operator).override is None
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    assert not RollbackReview.objects.exists()


def test_a_version_that_nobody_approved_does_not_go_live(release: Release) -> None:
    with pytest.raises(NotReady, match="approval of 1 person other than its author; none was given") as refusal:
        make_live(version=release.second, actor=release.operator)
    assert refusal.value.members["missing"][0]["kind"] == "approval"
    assert live_version(release.agent) == release.first


def test_an_approved_version_goes_live_by_an_operator(release: Release) -> None:
    request = approve(ask(release), release.approver)
    assert (request.state, request.ended_by) == (RequestState.APPROVED, release.approver)
    assert live_version(release.agent) == release.first
    make_live(version=release.second, actor=release.operator)
    assert live_version(release.agent) == release.second


def test_it_goes_live_with_the_last_approval_for_whoever_asked(release: Release) -> None:
    request = approve(ask(release, goes_live=True), release.approver)
    assert live_version(release.agent) == release.second
    assert request.deployment is not None
    assert request.deployment.created_by == release.editor
    assert request.deployment.reason == "Approved by anna. Callers like it"
    assert request.outcome == "V2 went live."
    trail = AuditEntry.objects.filter(subject="clinic").order_by("id").values_list("action", flat=True)
    assert list(trail)[-4:] == ["approval asked", "version approved", "approval given", "made live"]


def test_two_approvals_need_two_people() -> None:
    release = make_release(approvals=2)
    request = ask(release, goes_live=True)
    assert approve(request, release.approver).is_open
    with pytest.raises(NotReady, match="one more person other than its author; 1 of 2 were given"):
        make_live(version=release.second, actor=release.operator)
    with pytest.raises(AlreadyDecided):
        approve(request, release.approver)
    assert approve(request, release.admin).state == RequestState.APPROVED
    assert live_version(release.agent) == release.second


def test_the_author_never_approves_what_they_wrote(release: Release) -> None:
    mine = make_version(release.agent, release.admin, welcome_message="Mine")
    request = ask(release, mine)
    with pytest.raises(OwnWork, match="published V3 yourself"):
        approve(request, release.admin)
    with pytest.raises(IntegrityError, match="another than the author"), transaction.atomic():
        ApprovalDecision.objects.create(request=request, verdict="approve", person=release.admin, digest=request.digest)


@pytest.mark.parametrize("role", ["viewer", "editor", "operator"])
def test_only_approvers_decide(release: Release, role: str) -> None:
    with pytest.raises(NotAllowed):
        approve(ask(release), make_user(role))


def test_changes_need_words_end_the_request_and_take_back_what_was_approved() -> None:
    release = make_release(approvals=2)
    request = ask(release)
    approve(request, release.approver)
    with pytest.raises(ReasonMissing):
        say(request, Verdict.CHANGES, release.admin)
    assert say(request, Verdict.CHANGES, release.admin, "Too long").state == RequestState.CHANGES
    assert readiness_of(release.second).approved_by == ()
    with pytest.raises(RequestOver, match="changes asked for"):
        approve(request, make_user("approver"))
    again = ask(release)
    approve(again, release.approver)
    assert approve(again, make_user("approver")).state == RequestState.APPROVED


def test_a_withdrawn_request_counts_for_nothing(release: Release) -> None:
    release_of_two = ask(release)
    with pytest.raises(NotAllowed):
        withdraw_request(request=release_of_two, actor=release.operator)
    gone = withdraw_request(request=release_of_two, reason="Wrong one", actor=release.editor)
    assert (gone.state, gone.outcome) == (RequestState.WITHDRAWN, "Wrong one")
    with pytest.raises(RequestOver):
        approve(gone, release.approver)


def test_one_request_is_open_per_version(release: Release) -> None:
    first = ask(release)
    with pytest.raises(RequestOpen) as refusal:
        ask(release)
    assert refusal.value.request == first.pk
    with pytest.raises(IntegrityError, match="approval_one_open_per_version"), transaction.atomic():
        ApprovalRequest.objects.create(
            agent=release.agent, version=release.second, digest=first.digest, created_by=release.editor
        )


def test_what_is_live_already_needs_no_approval_and_a_live_version_ends_its_request(release: Release) -> None:
    with pytest.raises(RequestRefused, match="live already"):
        ask(release, release.first)
    request = ask(release)
    make_live(
        version=release.second, override_reason="Flu season", actor=make_user("operator", "approver", username="both")
    )
    request.refresh_from_db()
    assert (request.state, request.outcome) == (RequestState.OVERTAKEN, "V2 became live without it.")


def test_a_decision_is_bound_to_what_was_seen(release: Release) -> None:
    request = ask(release)
    common: dict[str, Any] = {"request": request, "verdict": Verdict.APPROVE, "actor": release.approver}
    with pytest.raises(RequestMoved):
        decide(**common, digest=release.first.configuration_id, seen_live=1)
    with pytest.raises(RequestMoved, match="V1 became live meanwhile"):
        decide(**common, digest=request.digest, seen_live=0)
    with pytest.raises(IntegrityError, match="on exactly this digest"), transaction.atomic():
        ApprovalDecision.objects.create(
            request=request, verdict="approve", person=release.approver, digest=release.first.configuration_id
        )
    assert not ApprovalDecision.objects.exists()


def test_a_freeze_keeps_it_from_going_live_and_the_approval_stands(release: Release) -> None:
    create_freeze(
        occasion="Christmas",
        starts_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(hours=1),
        time_zone="UTC",
        actor=release.admin,
    )
    request = approve(ask(release, goes_live=True), release.approver)
    assert request.state == RequestState.APPROVED
    assert request.outcome.startswith("Not live yet. Frozen until")
    assert live_version(release.agent) == release.first


def test_without_need_of_approval_only_an_operator_asks_that_it_goes_live() -> None:
    release = make_release()
    with pytest.raises(RequestRefused) as refusal:
        ask(release, goes_live=True)
    assert refusal.value.field == "goes_live"
    request = ask_approval(version=release.second, goes_live=True, actor=release.operator)
    approve(request, release.approver)
    assert live_version(release.agent) == release.second


def test_it_goes_live_only_in_the_name_of_somebody_who_may_still_ask_for_that(release: Release) -> None:
    request = ask(release, goes_live=True)
    release.editor.roles = ["viewer"]
    release.editor.save(update_fields=["roles"])
    done = approve(request, release.approver)
    assert (done.state, live_version(release.agent)) == (RequestState.APPROVED, release.first)
    assert done.outcome == "Not live yet. emma asked for it and may no longer make it live. An operator does that."
    make_live(version=release.second, actor=release.operator)
    assert live_version(release.agent) == release.second


def test_a_viewer_asks_for_nothing(release: Release) -> None:
    with pytest.raises(NotAllowed):
        ask_approval(version=release.second, actor=make_user("viewer"))


def test_requests_and_what_was_said_are_kept_as_they_were(release: Release) -> None:
    request = approve(ask(release), release.approver)
    comment(request=request, text="Fine", actor=release.approver)
    refused = [
        lambda: ApprovalDecision.objects.update(verdict="changes"),
        lambda: ApprovalComment.objects.update(text="Never said"),
        lambda: ApprovalComment.objects.all().delete(),
        lambda: ApprovalRequest.objects.all().delete(),
        lambda: ApprovalRequest.objects.update(reason="Another"),
        lambda: ApprovalRequest.objects.update(state="open", ended_at=None, ended_by=None),
    ]
    for write in refused:
        with pytest.raises(Exception, match=r"permission denied|append-only|ends once|Cannot"), transaction.atomic():
            write()


def test_postgresql_knows_no_approved_request_that_nobody_approved(release: Release) -> None:
    ask(release)
    with pytest.raises(IntegrityError, match="Nobody approved"), transaction.atomic():
        ApprovalRequest.objects.update(state="approved", ended_at=now(), ended_by=release.editor)


def test_comments_stand_at_a_field_or_a_line(release: Release) -> None:
    request = ask(release)
    assert lines_at(request, "welcome_message") == ["Good morning, this is the clinic."]
    assert lines_at(request, "tools[transfer_to_human].description") == ["Hand the caller to a person"]
    comment(request=request, text="Shorter?", path="system_prompt", line=2, actor=release.approver)
    comment(request=request, text="Why?", path="tools[transfer_to_human].description", actor=release.editor)
    for wrong, field in (({"path": "no_such_field"}, "path"), ({"path": "system_prompt", "line": 99}, "line")):
        with pytest.raises(RequestRefused) as refusal:
            comment(request=request, text="?", actor=release.approver, **wrong)
        assert refusal.value.field == field
    with pytest.raises(RequestRefused):
        comment(request=request, text="  ", actor=release.approver)
    with pytest.raises(NotAllowed):
        comment(request=request, text="Me too", actor=make_user("viewer"))


def test_rolling_back_to_what_was_live_needs_nobody_and_is_reviewed_afterwards(release: Release) -> None:
    approve(ask(release, goes_live=True), release.approver)
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    assert live_version(release.agent) == release.first
    review = waiting_rollbacks().get()
    with pytest.raises(NotAllowed):
        review_rollback(review=review, actor=release.editor)
    done = review_rollback(review=review, note="Right so", actor=release.approver)
    assert (done.reviewed_by, done.note) == (release.approver, "Right so")
    with pytest.raises(RequestOver):
        review_rollback(review=review, actor=release.admin)
    assert not waiting_rollbacks().exists()


def test_nobody_reviews_their_own_rollback(release: Release) -> None:
    approve(ask(release, goes_live=True), release.approver)
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.admin)
    review = waiting_rollbacks().get()
    with pytest.raises(OwnWork):
        review_rollback(review=review, actor=release.admin)
    with pytest.raises(IntegrityError, match="by another than who made it"), transaction.atomic():
        RollbackReview.objects.update(reviewed_at=now(), reviewed_by=release.admin)


def test_going_back_to_a_version_that_never_was_live_is_no_emergency(release: Release) -> None:
    third = make_version(release.agent, release.editor, welcome_message="Hi")
    approve(ask(release, third, goes_live=True), release.approver)
    with pytest.raises(NotReady):
        roll_back(agent=release.agent, to=release.second, reason="Older", actor=release.operator)


def test_a_later_version_is_no_way_back_though_it_was_live_before() -> None:
    release = make_release()
    make_live(version=release.second, actor=release.operator)
    set_rules(agent=release.agent, approvals=1, tolerance=0, suites=(), actor=release.admin)
    roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    with pytest.raises(NotReady):
        roll_back(agent=release.agent, to=release.second, reason="They were wrong", actor=release.operator)
    assert live_version(release.agent) == release.first
