"""The import page: nothing is created before it was seen, nothing of the document is lost, errors are sentences."""

import base64
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from agentversions.core.importing import read_import
from agentversions.core.portable import write_folder
from agentversions.core.reading import write_body
from agentversions.core.zip_files import write_zip
from agentversions.models import Agent
from agentversions.services.agents import archive_agent
from agentversions.services.exporting import export_agent
from tests.core.foreign import VAPI
from tests.factories import make_agent, make_configuration, make_user, make_version

pytestmark = pytest.mark.django_db
ADDRESS = "/agents/import/"


@pytest.fixture
def page(client):
    client.force_login(make_user("editor", username="pm"))
    return client


def confirm(page, content: bytes, file_name="a.txt", **fields):
    fields = {"file_name": file_name, "content": base64.b64encode(content).decode(), "target": "", "name": "", **fields}
    return page.post(ADDRESS, fields)


def test_the_page_opens_and_works_without_scripts(page):
    assert reverse("agentversions:agent_import") == ADDRESS
    assert b'enctype="multipart/form-data"' in page.get(ADDRESS).content


def test_a_viewer_may_not_import(client):
    client.force_login(make_user("viewer"))
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, {"text": "x"}).status_code == 403


def test_nobody_imports_without_signing_in(client):
    assert client.get(ADDRESS).status_code == 302


def test_only_get_and_post_are_answered(page):
    assert page.delete(ADDRESS).status_code == 405


def test_the_preview_shows_what_was_recognised_and_creates_nothing(page):
    tool = {"type": "apiRequest", "name": "x", "url": "https://a.example.com", "headers": {"X-Api-Key": "abcdef123456"}}
    document = {**VAPI, "model": {**VAPI["model"], "tools": [tool]}}
    answer = page.post(ADDRESS, {"file": SimpleUploadedFile("alex.json", json.dumps(document).encode())})
    words = answer.content.decode()
    assert answer.status_code == 200
    for part in (
        "Recognised as Vapi assistant (JSON)",
        "X_X_API_KEY",
        "model.toolIds",
        "same keys masked",
        "alex.json",
    ):
        assert part in words
    assert not Agent.objects.exists()


def test_confirming_creates_exactly_what_was_previewed(page):
    content = json.dumps(VAPI).encode()
    answer = confirm(page, content, name="Alex", folder="Support / Phone ")
    agent = Agent.objects.get()
    assert answer.status_code == 302
    assert (agent.folder, agent.created_by.username) == ("Support/Phone", "pm")
    assert agent.draft.body == write_body(read_import("a.txt", content).configuration)
    assert agent.history.first().history_change_reason == "Imported from a.txt"


def test_another_name_may_be_given(page):
    confirm(page, b"You are kind.", name="Kind agent")
    assert Agent.objects.get().draft.load().name == "Kind agent"


def test_a_pasted_prompt_keeps_its_line_ends_and_spaces(page):
    answer = page.post(ADDRESS, {"text": "  You are kind. \r\n\r\nBe brief.\r\n"})
    content = answer.context["content"]
    confirm(page, base64.b64decode(content), file_name=answer.context["file_name"])
    assert Agent.objects.get().draft.load().system_prompt == "  You are kind. \n\nBe brief.\n"


def test_a_document_goes_into_the_draft_of_an_agent_and_can_be_taken_back(page):
    agent = make_agent(slug="clinic")
    before = agent.draft_id
    answer = page.post(f"{ADDRESS}?into=clinic", {"text": "x"})
    assert '<option value="clinic" selected>' in answer.content.decode()
    answer = confirm(page, b"You are kind.", target="clinic")
    agent.refresh_from_db()
    assert agent.draft.load().system_prompt == "You are kind."
    assert agent.history.filter(draft_id=before).exists()
    assert Agent.objects.count() == 1


def test_an_unknown_target_is_a_404(page):
    assert confirm(page, b"x", target="nobody").status_code == 404


def test_an_archived_target_is_refused_and_the_document_stays_in_the_page(page):
    agent = make_agent(slug="clinic")
    archive_agent(agent=agent, actor=agent.created_by)
    answer = confirm(page, b"You are kind.", target="clinic")
    assert answer.status_code == 422
    assert "is archived" in answer.content.decode()
    assert base64.b64decode(answer.context["content"]) == b"You are kind."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Choose a file, or paste a text."),
        ({"text": "x", "file": SimpleUploadedFile("a.txt", b"y")}, "Take one of them out"),
        ({"file": SimpleUploadedFile("a.json", b'{"a": 1, "a": 2}')}, "stands twice"),
        ({"file": SimpleUploadedFile("a.bin", b"\xff\xfe\x00")}, "neither UTF-8 text nor a zip"),
        ({"file": SimpleUploadedFile("a.txt", b"x" * 8_000_001)}, "manage.py import_agent"),
        ({"text": '{"name": "x", "model": {"temperature": 9}}'}, "Temperature must be at most 2"),
        ({"file": SimpleUploadedFile("a.zip", write_zip({"../agent.yaml": b"name: x"}))}, "points outside"),
    ],
)
def test_what_cannot_be_imported_is_said_and_the_pasted_text_stays(page, fields, words):
    answer = page.post(ADDRESS, fields)
    assert answer.status_code == 422
    assert words in answer.content.decode().replace("&quot;", '"')
    if text := fields.get("text"):
        assert text.replace('"', "&quot;") in answer.content.decode()
    assert not Agent.objects.exists()


@pytest.mark.parametrize("name", ["x" * 201, "a\nb"])
def test_a_name_that_does_not_fit_gives_the_preview_again(page, name):
    answer = confirm(page, b"You are kind.", name=name)
    assert answer.status_code == 422
    assert b'id="import-name-error"' in answer.content
    assert not Agent.objects.exists()


def test_a_damaged_confirmation_creates_nothing(page):
    answer = page.post(ADDRESS, {"file_name": "a", "content": "%%%"})
    assert answer.status_code == 422
    assert "damaged on its way" in answer.content.decode()


def test_hostile_text_is_shown_as_text(page):
    answer = page.post(ADDRESS, {"text": "<script>alert(1)</script> {% now %} \x1b[31m"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.content.decode()
    assert "<script>alert(1)" not in answer.content.decode()


def test_a_portable_folder_in_an_archive_is_imported_exactly(page):
    configuration = make_configuration()
    confirm(page, write_zip(write_folder(configuration)), file_name="clinic.zip", name=configuration.name)
    assert Agent.objects.get().draft.body == write_body(configuration)


def test_an_exported_agent_comes_back_with_all_its_versions(page):
    agent = make_agent(slug="clinic")
    for number in (1, 2, 3):
        make_version(agent, name=f"Change {number}", welcome_message=f"Hello {number}")
    content = export_agent(agent=Agent.objects.get(), shape="zip")
    answer = page.post(ADDRESS, {"file": SimpleUploadedFile("clinic.zip", content)})
    assert "An agent with 3 versions" in answer.content.decode()
    confirm(page, content, file_name="clinic.zip")
    copy = Agent.objects.get(slug="clinic-2")
    fields = ("number", "name", "description", "created_at", "configuration_id")
    assert list(copy.versions.values_list(*fields)) == list(agent.versions.values_list(*fields))
