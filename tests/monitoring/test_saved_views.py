"""Saved views of the list of calls, and the columns that each person chose."""

import csv
import io
import re

import pytest
from django.test import Client

from agentversions.models import AuditEntry, User
from agentversions.services.errors import NotAllowed
from monitoring.core.records import read_record
from monitoring.models import SavedView
from monitoring.services.errors import ViewRefused
from monitoring.services.ingest import ingest
from monitoring.services.saved_views import (
    MOST_VIEWS,
    change_view,
    columns_of,
    delete_view,
    find_view,
    list_views,
    save_view,
)
from tests.factories import make_agent, make_user, make_version

pytestmark = pytest.mark.django_db
ERRORS = "agent=clinic&outcome=error"


@pytest.fixture
def anna() -> User:
    return make_user("viewer", username="anna")


@pytest.fixture
def berta() -> User:
    return make_user("editor", username="berta")


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def actions() -> list[str]:
    return list(AuditEntry.objects.filter(subject_kind="saved view").order_by("id").values_list("action", flat=True))


def test_a_private_view_is_its_owners_alone_and_a_shared_one_is_everybodys(anna: User, berta: User) -> None:
    private = save_view(name="Errors", query=ERRORS, is_shared=False, actor=anna)
    shared = save_view(name="Unknown", query="agent=unknown", is_shared=True, actor=anna)
    assert list_views(anna) == [private, shared]
    assert list_views(berta) == [shared]
    assert find_view(private.pk, person=berta) is None
    own = save_view(name="errors", query=ERRORS, is_shared=False, actor=berta)
    assert list_views(berta) == [own, shared]


def test_names_are_unique_for_each_person_whatever_their_case(anna: User) -> None:
    save_view(name="Errors", query=ERRORS, is_shared=False, actor=anna)
    other = save_view(name="Others", query=ERRORS, is_shared=False, actor=anna)
    with pytest.raises(ViewRefused, match="already") as refused:
        save_view(name="ERRORS", query=ERRORS, is_shared=False, actor=anna)
    assert refused.value.field == "name"
    with pytest.raises(ViewRefused, match="already"):
        change_view(view=other, name="errors", query=None, is_shared=False, actor=anna)
    assert SavedView.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Choose filters first"),
        ("colour=red", "Choose filters first"),
        ("version=V1", "Choose the agent as well"),
        ("agent=x&" + "&".join(f"version={'V' * 150}{at}" for at in range(30)), "too many filters"),
    ],
)
def test_what_is_no_filter_is_not_kept(anna: User, query: str, words: str) -> None:
    with pytest.raises(ViewRefused, match=words):
        save_view(name="A view", query=query, is_shared=False, actor=anna)


def test_a_person_has_a_bounded_number_of_views(anna: User) -> None:
    SavedView.objects.bulk_create(SavedView(owner=anna, name=str(at), query=ERRORS) for at in range(MOST_VIEWS))
    with pytest.raises(ViewRefused, match="Delete one first"):
        save_view(name="One more", query=ERRORS, is_shared=False, actor=anna)


def test_what_everybody_sees_is_written_to_the_audit_trail(anna: User) -> None:
    view = save_view(name="Errors", query=ERRORS, is_shared=False, actor=anna)
    change_view(view=view, name="Mistakes", query=None, is_shared=False, actor=anna)
    assert actions() == []
    change_view(view=view, name="Mistakes", query=None, is_shared=True, actor=anna)
    change_view(view=view, name="Mistakes", query="outcome=error", is_shared=True, actor=anna)
    change_view(view=view, name="Mistakes", query=None, is_shared=True, actor=anna)
    change_view(view=view, name="Mistakes", query=None, is_shared=False, actor=anna)
    change_view(view=view, name="Mistakes", query=None, is_shared=True, actor=anna)
    delete_view(view=view, actor=anna)
    assert actions() == [
        "view shared",
        "shared view changed",
        "view no longer shared",
        "view shared",
        "shared view deleted",
    ]
    changed = AuditEntry.objects.get(action="shared view changed")
    assert (changed.before["query"], changed.after["query"]) == (ERRORS, "outcome=error")


def test_only_the_owner_changes_a_view_and_an_admin_what_is_shared(anna: User, berta: User) -> None:
    admin = make_user("admin")
    private = save_view(name="Mine", query=ERRORS, is_shared=False, actor=anna)
    shared = save_view(name="Ours", query=ERRORS, is_shared=True, actor=anna)
    with pytest.raises(NotAllowed, match="anna"):
        change_view(view=shared, name="Theirs", query=None, is_shared=True, actor=berta)
    with pytest.raises(NotAllowed):
        delete_view(view=private, actor=admin)
    delete_view(view=shared, actor=admin)
    with pytest.raises(ViewRefused, match="deleted meanwhile"):
        change_view(view=shared, name="Ours", query=None, is_shared=True, actor=anna)
    page = client_of(berta)
    assert page.get(f"/calls/views/{private.pk}/").status_code == 404
    other = save_view(name="Ours again", query=ERRORS, is_shared=True, actor=anna)
    for address in (f"/calls/views/{other.pk}/", f"/calls/views/{other.pk}/delete/"):
        assert page.post(address, {"name": "Theirs"}).status_code == 403
    assert SavedView.objects.filter(pk=other.pk, name="Ours again").exists()


def test_a_view_is_saved_opened_updated_renamed_and_deleted_without_scripts(anna: User) -> None:
    make_version(make_agent(slug="clinic"))
    client = client_of(anna)
    dialog = client.get(f"/calls/views/new/?{ERRORS}").content.decode()
    assert f'name="query" value="{ERRORS.replace("&", "&amp;")}"' in dialog
    answer = client.post("/calls/views/new/", {"name": " Errors ", "query": ERRORS})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == ("Errors", ERRORS, False)
    assert answer.headers["Location"] == f"/calls/?{ERRORS}&view={view.pk}"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "“Errors” is saved." in page
    assert re.search(r"<bdi>Errors</bdi></span>", page)
    assert "Keep these filters in it" not in page
    # Other filters, while the view stays open.
    page = client.get(f"/calls/?agent=clinic&view={view.pk}").content.decode()
    link = re.search(r'href="(/calls/views/\d+/\?[^"]*update=on)"', page)
    assert link is not None
    assert 'name="update" checked' in client.get(link[1].replace("&amp;", "&")).content.decode()
    client.post(f"/calls/views/{view.pk}/", {"name": "All", "query": "agent=clinic", "update": "on", "is_shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_shared) == ("All", "agent=clinic", True)
    client.post(f"/calls/views/{view.pk}/", {"name": "Everything", "query": ERRORS})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_shared) == ("Everything", "agent=clinic", False)
    assert "It leaves your menu." in client.get(f"/calls/views/{view.pk}/delete/").content.decode()
    assert client.post(f"/calls/views/{view.pk}/delete/").headers["Location"] == "/calls/?agent=clinic"
    assert not SavedView.objects.exists()


def test_a_refused_view_says_why_and_keeps_what_was_typed(anna: User) -> None:
    client = client_of(anna)
    nameless = client.post("/calls/views/new/", {"name": "", "query": ERRORS, "is_shared": "on"})
    assert nameless.status_code == 422
    page = nameless.content.decode()
    assert "Give the view a name" in page
    assert 'name="is_shared" checked' in page
    assert "agent=clinic&amp;outcome=error" in page
    assert "Shorten it" in client.post("/calls/views/new/", {"name": "x" * 61, "query": ERRORS}).content.decode()


def test_each_person_sees_the_columns_they_chose_in_one_order_and_the_export_keeps_all(anna: User, berta: User) -> None:
    make_version(make_agent(slug="clinic"))
    ingest([read_record({"id": "call-1", "agent": "clinic", "version": 1, "caller": "+33612345678"})], source="api")
    client = client_of(anna)
    chosen = {"column": ["id", "version", "colour"], "query": "agent=clinic", "view": "7"}
    assert client.post("/calls/columns/", chosen).headers["Location"] == "/calls/?agent=clinic&view=7"
    assert columns_of(anna) == ["version", "id"]

    def heads(person: User) -> list[str]:
        page = client_of(person).get("/calls/").content.decode()
        return re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', page)

    assert heads(anna) == ["Started", "Version", "Call id"]
    assert heads(berta)[:3] == ["Started", "Caller", "Number"]
    assert "•••• 5678" not in client.get("/calls/").content.decode()
    lines = b"".join(client.get("/calls/export/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert {"caller", "cost"} <= set(list(csv.reader(io.StringIO(lines)))[1])
    client.post("/calls/columns/", {"usual": "on", "query": "https://elsewhere.example"})
    assert heads(anna) == heads(berta)
    client.post("/calls/columns/", {"query": ""})
    assert heads(anna) == ["Started"]
