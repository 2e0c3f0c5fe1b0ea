"""The pages of approvals: the queue and its badge, a request, dialogs, an agent's rules."""

import pytest
from django.test import Client
from django.urls import reverse

from agentversions.core.release import RequestState
from agentversions.models import ApprovalRequest, User
from agentversions.services.deployments import live_version, roll_back
from agentversions.services.release_rules import rules_of
from tests.factories import make_user

from .evaluations import case, suite_of
from .releases import Release, approve, ask, make_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def release() -> Release:
    return make_release(approvals=1)


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(client: Client, address: str, *, status: int = 200, htmx: bool = False) -> str:
    answer = client.get(address, headers={"HX-Request": "true"} if htmx else {})
    assert answer.status_code == status
    return str(answer.content.decode())


def decision(request: ApprovalRequest, **fields: str) -> dict[str, str]:
    return {"verdict": "approve", "digest": request.digest, "seen": "1", "note": "", **fields}


def test_the_queue_shows_what_waits_and_the_badge_counts_what_the_reader_may_decide(release: Release) -> None:
    ask(release)
    queue = text_of(as_(release.operator), "/approvals/")
    assert "Warmer welcome" in queue
    assert "Callers like it" in queue
    badge = reverse("agentversions:approval_badge")
    assert ">1<" in text_of(as_(release.approver), badge, htmx=True)
    assert "badge" not in text_of(as_(release.editor), badge, htmx=True)


def test_a_request_shows_difference_evidence_and_who_it_reaches() -> None:
    suite = suite_of(case("a"))
    release = make_release(approvals=1, suites=(suite.slug,))
    request = ask(release)
    page = text_of(as_(release.approver), f"/approvals/{request.pk}/")
    assert "Welcome message" in page
    assert "has not been run to its end" in page
    assert "/agents/clinic/live/followers/" in page
    assert f"/agents/clinic/compare/1...2/?approval={request.pk}#at-welcome_message" in page
    assert "No channel follows Live yet" in text_of(as_(release.approver), "/agents/clinic/live/followers/")


def test_an_approver_approves_and_it_goes_live(release: Release) -> None:
    request = ask(release, goes_live=True)
    answer = as_(release.approver).post(f"/approvals/{request.pk}/decide/", decision(request), follow=True)
    assert "Approved. V2 went live." in answer.content.decode()
    assert live_version(release.agent) == release.second


def test_asking_for_changes_without_words_keeps_what_was_typed(release: Release) -> None:
    request = ask(release)
    client = as_(release.approver)
    answer = client.post(f"/approvals/{request.pk}/decide/", decision(request, verdict="changes", note=" "))
    assert answer.status_code == 422
    assert "Say what has to change" in answer.content.decode()
    stale = client.post(f"/approvals/{request.pk}/decide/", decision(request, seen="7", note="Looks fine"))
    assert stale.status_code == 422
    assert "Look at the difference again" in stale.content.decode()
    assert "Looks fine" in stale.content.decode()
    client.post(f"/approvals/{request.pk}/decide/", decision(request, verdict="changes", note="Too long"))
    request.refresh_from_db()
    assert request.state == RequestState.CHANGES
    assert "Too long" in text_of(as_(release.editor), f"/approvals/{request.pk}/")


def test_the_author_sees_why_they_may_not_decide_and_is_refused(release: Release) -> None:
    both = make_user("editor", "approver", username="both")
    request = ask(release)
    page = text_of(as_(release.editor), f"/approvals/{request.pk}/")
    assert "An approver decides on it." in page
    assert 'name="verdict"' not in page
    assert 'name="verdict"' in text_of(as_(both), f"/approvals/{request.pk}/")


def test_comments_stand_at_their_field_with_the_line(release: Release) -> None:
    request = ask(release)
    client = as_(release.approver)
    address = f"/approvals/{request.pk}/comment/"
    wrong = client.post(address, {"path": "welcome_message", "line": "9", "text": "Shorter"})
    assert wrong.status_code == 422
    assert "That text has 1 lines" in wrong.content.decode()
    assert "Shorter" in wrong.content.decode()
    client.post(address, {"path": "welcome_message", "line": "1", "text": "Shorter"})
    page = text_of(client, f"/approvals/{request.pk}/")
    assert "line 1" in page
    assert "Good morning, this is the clinic.</blockquote>" in page
    assert '<option value="welcome_message">' in page


def test_only_who_asked_or_wrote_it_takes_it_back(release: Release) -> None:
    request = ask(release)
    address = f"/approvals/{request.pk}/withdraw/"
    assert as_(release.operator).post(address).status_code == 403
    assert as_(make_user("viewer")).post(f"/approvals/{request.pk}/comment/", {"text": "x"}).status_code == 403
    as_(release.editor).post(address)
    request.refresh_from_db()
    assert request.state == RequestState.WITHDRAWN


def test_the_live_dialog_says_what_is_missing_and_offers_to_ask(release: Release) -> None:
    address = "/agents/clinic/versions/2/live/"
    dialog = text_of(as_(release.operator), address, htmx=True)
    assert "may not go to callers yet" in dialog
    assert "/agents/clinic/versions/2/approval/" in dialog
    assert "Make V2 live</button>" not in dialog
    assert 'name="override_reason"' not in dialog
    refused = as_(release.operator).post(address, {"seen": "1", "reason": "Now"})
    assert refused.status_code == 422
    assert "It needs the approval of 1 person" in refused.content.decode()
    assert live_version(release.agent) == release.first


def test_an_admin_overrides_in_the_live_dialog_and_the_history_says_so(release: Release) -> None:
    address = "/agents/clinic/versions/2/live/"
    assert "Override and make V2 live" in text_of(as_(release.admin), address, htmx=True)
    forbidden = as_(release.operator).post(address, {"seen": "1", "override_reason": "Now"})
    assert forbidden.status_code == 422
    assert "Only an approver overrides" in forbidden.content.decode()
    as_(release.admin).post(address, {"seen": "1", "override_reason": "Flu season"})
    assert live_version(release.agent) == release.second
    history = text_of(as_(release.operator), "/agents/clinic/live/history/")
    assert "Overridden" in history
    assert "Flu season" in history


def test_an_approver_overrides_on_the_versions_page_and_an_operator_makes_it_live(release: Release) -> None:
    client = as_(release.approver)
    assert "Override …" in text_of(client, "/agents/clinic/versions/2/readiness/")
    empty = client.post("/agents/clinic/versions/2/override/", {"reason": ""})
    assert empty.status_code == 422
    client.post("/agents/clinic/versions/2/override/", {"reason": "Outage"})
    assert "Overridden by anna" in text_of(client, "/agents/clinic/versions/2/readiness/")
    as_(release.operator).post("/agents/clinic/versions/2/live/", {"seen": "1"})
    assert live_version(release.agent) == release.second


def test_asking_opens_the_request_and_asking_twice_opens_the_first(release: Release) -> None:
    client = as_(release.editor)
    address = "/agents/clinic/versions/2/approval/"
    assert "Make it live in the moment it is approved" in text_of(client, address, htmx=True)
    first = client.post(address, {"reason": "Please", "goes_live": "on"})
    request = ApprovalRequest.objects.get()
    assert first["Location"] == f"/approvals/{request.pk}/"
    assert (request.reason, request.goes_live) == ("Please", True)
    assert client.post(address, {})["Location"] == f"/approvals/{request.pk}/"
    assert as_(make_user("viewer")).get(address).status_code == 403


def test_an_admin_sets_the_rules_of_an_agent(release: Release) -> None:
    suite = suite_of(case("a"))
    client = as_(release.admin)
    address = "/agents/clinic/release-rules/"
    assert suite.name in text_of(client, address, htmx=True)
    wrong = client.post(address, {"approvals": "2", "tolerance": "lots", "suites": [suite.slug]})
    assert wrong.status_code == 422
    assert "Write a number of points" in wrong.content.decode()
    assert 'value="lots"' in wrong.content.decode()
    client.post(address, {"approvals": "2", "tolerance": "2.5", "suites": [suite.slug]})
    rules = rules_of(release.agent)
    assert (rules.approvals, rules.tolerance, rules.suites) == (2, 0.025, (suite,))


def test_a_rollback_waits_for_a_look(release: Release) -> None:
    approve(ask(release, goes_live=True), release.approver)
    dialog = text_of(as_(release.operator), "/agents/clinic/versions/1/live/", htmx=True)
    assert "An approver looks at this rollback afterwards" in dialog
    row = roll_back(agent=release.agent, to=release.first, reason="Complaints", actor=release.operator)
    assert "Rollbacks to look at" in text_of(as_(release.operator), "/approvals/")
    as_(release.approver).post(f"/approvals/rollbacks/{row.pk}/review/", {"note": "Right so"})
    assert "Rollbacks to look at" not in text_of(as_(release.operator), "/approvals/")
    assert "Looked at by anna" in text_of(as_(release.operator), "/agents/clinic/live/history/")
    assert as_(release.approver).post("/approvals/rollbacks/99999/review/").status_code == 404


def test_an_unknown_request_is_a_404_in_words(release: Release) -> None:
    assert "There is no such request" in text_of(as_(release.editor), "/approvals/4711/", status=404)
