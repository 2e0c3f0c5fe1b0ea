"""Comments in place: on the page of differences of a request, beside the line or the field, with what is outdated."""

import re
from urllib.parse import quote

import pytest
from django.test import Client

from agentversions.core.release import Verdict
from agentversions.models import ApprovalComment, ApprovalRequest, User
from agentversions.services.approval_comments import comment
from tests.factories import make_user, make_version

from .releases import Release, approve, ask, make_release, say

pytestmark = pytest.mark.django_db

LINES = [f"Rule {number}." for number in range(1, 61)]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def release() -> Release:
    return make_release(approvals=1)


@pytest.fixture
def request_(release: Release) -> ApprovalRequest:
    """For V4, whose prompt differs from the live V3 in its last line; its voice differs too."""
    live = make_version(release.agent, release.editor, system_prompt="\n".join(LINES))
    approve(ask(release, live, goes_live=True), release.approver)
    head = make_version(
        release.agent,
        release.editor,
        system_prompt="\n".join([*LINES[:-1], "Rule 60, politely."]),
        voice={"provider": "elevenlabs", "voice": "Charlotte"},
    )
    return ask(release, head)


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def difference(request: ApprovalRequest, person: User, query: str = "") -> str:
    answer = as_(person).get(f"/agents/clinic/compare/3...4/?approval={request.pk}{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def row_of(page: str, text: str) -> str:
    """The table row that holds a text."""
    return next(row for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL) if text in row)


def place(request: ApprovalRequest, path: str, line: int | None = None) -> str:
    return f"/approvals/{request.pk}/comment/?path={quote(path, safe='')}" + (f"&line={line}" if line else "")


def test_a_line_and_a_field_lead_to_the_form_and_the_comment_stands_there(
    release: Release, request_: ApprovalRequest
) -> None:
    page = difference(request_, release.approver)
    address = place(request_, "system_prompt", 60).replace("&", "&amp;")
    assert f'<a href="{address}" hx-get="{address}"' in row_of(page, "politely")
    assert place(request_, "voice.voice") in row_of(page, "Charlotte")
    client = as_(release.approver)
    form = client.get(place(request_, "system_prompt", 60), headers=HTMX).content.decode()
    assert "Comment on System prompt, line 60" in form
    assert "<html" not in form
    fields = {"path": "system_prompt", "line": "60", "text": "Polite to whom?"}
    said = client.post(f"/approvals/{request_.pk}/comment/", fields, headers=HTMX)
    assert said.status_code == 200
    assert "Polite to whom?" in said.content.decode()
    assert 'class="remark-slot"></div>' in said.content.decode()
    client.post(f"/approvals/{request_.pk}/comment/", {"path": "voice.voice", "text": "Warmer?"}, headers=HTMX)
    for query in ("", "&view=inline"):
        page = difference(request_, release.editor, query)
        assert "Polite to whom?" in row_of(page, "politely")
        assert "Warmer?" in row_of(page, "Charlotte")


def test_without_scripts_the_form_is_a_page_and_the_request_links_to_the_line(
    release: Release, request_: ApprovalRequest
) -> None:
    client = as_(release.approver)
    form = client.get(place(request_, "system_prompt", 60)).content.decode()
    assert "<html" in form
    assert "Rule 60, politely.</blockquote>" in form
    fields = {"path": "system_prompt", "line": "60", "text": "Polite to whom?"}
    answer = client.post(f"/approvals/{request_.pk}/comment/", fields)
    row = ApprovalComment.objects.get()
    assert answer["Location"] == f"/approvals/{request_.pk}/#comment-{row.pk}"
    page = client.get(answer["Location"]).content.decode()
    assert f'id="comment-{row.pk}"' in page
    assert f'href="/agents/clinic/compare/3...4/?approval={request_.pk}#comment-{row.pk}"' in page
    assert f'id="comment-{row.pk}"' in difference(request_, release.approver)


def test_a_line_far_from_every_change_stays_open_when_something_was_said_about_it(
    release: Release, request_: ApprovalRequest
) -> None:
    assert " hidden" in row_of(difference(request_, release.approver), ">Rule 20.<")
    comment(request=request_, text="Still so?", path="system_prompt", line=20, actor=release.approver)
    page = difference(request_, release.approver)
    assert " hidden" not in row_of(page, "Rule 20.")
    assert "Still so?" in row_of(page, "Rule 20.")
    assert " hidden" in row_of(page, "Rule 40.")


def test_a_comment_on_what_does_not_differ_stands_above_the_differences(
    release: Release, request_: ApprovalRequest
) -> None:
    comment(request=request_, text="Unchanged, why?", path="welcome_message", line=1, actor=release.approver)
    page = difference(request_, release.approver)
    above, below = page.split("Comments on what is not shown here")
    assert "Unchanged, why?" not in above
    assert "Unchanged, why?" in below
    whole = difference(request_, release.approver, "&show=everything")
    assert "Comments on what is not shown here" not in whole
    assert whole.count("Unchanged, why?") == 1


def test_a_comment_on_another_configuration_stays_at_its_field_and_is_marked(
    release: Release, request_: ApprovalRequest
) -> None:
    comment(request=request_, text="Polite to whom?", path="system_prompt", line=60, actor=release.approver)
    say(request_, Verdict.CHANGES, release.approver, "See the last line")
    anew = ask(release, request_.version)
    assert "Outdated" not in difference(anew, release.approver), "the same configuration, asked for anew"
    say(anew, Verdict.CHANGES, release.approver, "Still the same")
    mended = make_version(release.agent, release.editor, system_prompt="\n".join([*LINES[:-1], "Polite to callers."]))
    third = ask(release, mended)
    page = as_(release.approver).get(f"/agents/clinic/compare/3...5/?approval={third.pk}").content.decode()
    assert "Polite to whom?" not in row_of(page, "to callers")
    assert "Rule 60, politely.</blockquote>" in page
    assert page.count(">Outdated<") == 1
    old = ApprovalComment.objects.get()
    assert f'href="/approvals/{request_.pk}/#comment-{old.pk}"' in page
    shown = as_(release.approver).get(f"/approvals/{third.pk}/").content.decode()
    assert shown.count(">Outdated<") == 1
    approve(third, release.approver)
    fourth = ask(release, make_version(release.agent, release.editor, welcome_message="Hi"))
    assert "Polite" not in as_(release.approver).get(f"/approvals/{fourth.pk}/").content.decode(), "V5 was let through"


def test_a_refusal_keeps_the_words_in_place(release: Release, request_: ApprovalRequest) -> None:
    client, address = as_(release.approver), f"/approvals/{request_.pk}/comment/"
    for fields, words in (
        ({"path": "system_prompt", "line": "99", "text": "Where?"}, "That text has 60 lines"),
        ({"path": "system_prompt", "line": "3", "text": " "}, "Write what you have to say"),
    ):
        answer = client.post(address, fields, headers=HTMX)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert f"\n{fields['text']}</textarea>" in answer.content.decode()
        assert f'name="line" value="{fields["line"]}"' in answer.content.decode()
    empty = client.get(f"{address}?cancel=yes", headers=HTMX).content.decode().strip()
    assert empty == '<div class="remark-slot"></div>'
    assert client.get(f"{address}?path=no_such_field").status_code == 404
    assert client.get(f"{address}?path=system_prompt&line={'9' * 5000}").status_code == 200


def test_who_may_not_comment_reads_and_gets_no_form(release: Release, request_: ApprovalRequest) -> None:
    comment(request=request_, text="Polite to whom?", path="system_prompt", line=60, actor=release.approver)
    viewer = make_user("viewer")
    page = difference(request_, viewer)
    assert "Polite to whom?" in row_of(page, "politely")
    assert "/comment/" not in page
    assert as_(viewer).get(place(request_, "system_prompt", 60)).status_code == 403


@pytest.mark.parametrize("query", ["", "?approval=99999", "?approval=²", "?approval=%00", f"?approval={'9' * 99}"])
def test_a_comparison_of_something_else_holds_no_comments(
    release: Release, request_: ApprovalRequest, query: str
) -> None:
    comment(request=request_, text="Polite to whom?", path="system_prompt", line=60, actor=release.approver)
    page = as_(release.approver).get(f"/agents/clinic/compare/3...4/{query}").content.decode()
    assert "Polite to whom?" not in page
    assert "/comment/" not in page
    other = as_(release.approver).get(f"/agents/clinic/compare/1...2/?approval={request_.pk}").content.decode()
    assert "/comment/" not in other
