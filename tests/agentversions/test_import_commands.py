"""The commands: import_agent, import_history, export_agent."""

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from agentversions.core.portable import write_folder
from agentversions.core.reading import write_body
from agentversions.models import Agent
from agentversions.services.publishing import restore_version
from tests.core.foreign import VAPI
from tests.factories import make_agent, make_configuration, make_user, make_version

pytestmark = pytest.mark.django_db


def run(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def pm():
    return make_user("editor", username="pm")


@pytest.mark.usefixtures("pm")
def test_files_of_every_kind_are_imported_and_the_report_lists_what_has_no_place(tmp_path):
    (tmp_path / "alex.json").write_text(json.dumps(VAPI))
    (tmp_path / "prompt.md").write_bytes(b"You are kind.\r\n")
    said = run("import_agent", tmp_path / "alex.json", tmp_path / "prompt.md", "--folder", "Phone", "--actor", "pm")
    assert "Vapi assistant (JSON) → /agents/alex/" in said
    assert "kept under the extensions: model.toolIds" in said
    assert set(Agent.objects.values_list("slug", "folder")) == {("alex", "Phone"), ("prompt", "Phone")}


@pytest.mark.usefixtures("pm")
def test_a_portable_folder_is_imported_from_its_directory(tmp_path):
    configuration = make_configuration()
    for path, content in write_folder(configuration).items():
        file = tmp_path / "clinic" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    run("import_agent", tmp_path / "clinic", "--actor", "pm")
    assert Agent.objects.get().draft.body == write_body(configuration)


@pytest.mark.usefixtures("pm")
def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "good.txt").write_text("You are kind.")
    with pytest.raises(CommandError, match="1 of 3"):
        run("import_agent", tmp_path / "bad.json", tmp_path / "good.txt", tmp_path / "good.txt", "--actor", "pm")
    assert Agent.objects.count() == 2


def test_a_command_acts_in_the_name_of_somebody_who_may_edit(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    make_user("viewer", username="analyst")
    for words, reason in (
        (["--actor", "nobody"], "nobody called"),
        (["--actor", "analyst"], "may not edit"),
        ([], "Say in whose name"),
    ):
        with pytest.raises(CommandError, match=reason):
            run("import_agent", tmp_path / "a.txt", *words)


@pytest.mark.parametrize("suffix", [".zip", ".json"])
def test_an_exported_agent_is_imported_elsewhere_with_everything(pm, tmp_path, suffix):
    agent = make_agent(pm, slug="clinic", folder="Front desk")
    make_version(agent, pm, name="First")
    make_version(agent, pm, name="Second", system_prompt="Line\r\nends \n")
    file = tmp_path / f"clinic{suffix}"
    assert "2 versions" in run("export_agent", "clinic", "--output", file)
    assert "agent with 2 versions → /agents/clinic-2/" in run("import_agent", file, "--actor", "pm")
    copy = Agent.objects.get(slug="clinic-2")
    fields = ("number", "name", "description", "created_at", "configuration_id")
    assert list(copy.versions.values_list(*fields)) == list(agent.versions.values_list(*fields))
    assert copy.folder == "Front desk"


def test_an_export_never_overwrites_and_says_what_is_wrong(pm, tmp_path):
    make_agent(pm, slug="clinic")
    (tmp_path / "there.zip").write_bytes(b"x")
    for words, reason in (
        (["clinic", "--output", tmp_path / "there.zip"], "cannot be written"),
        (["clinic", "--output", tmp_path / "a.txt"], "ends in .json or .zip"),
        (["nobody", "--output", tmp_path / "a.zip"], "no agent"),
    ):
        with pytest.raises(CommandError, match=reason):
            run("export_agent", *words)


def history(folder: Path, *prompts: str, subjects: tuple[str, ...] = ()) -> Path:
    """A history folder with one step per prompt."""
    folder.mkdir(exist_ok=True)
    steps = []
    for number, prompt in enumerate(prompts, start=1):
        (folder / f"{number:04}.md").write_bytes(prompt.encode())
        subject = subjects[number - 1] if subjects else f"Step {number}"
        steps.append({
            "version": number, "file": f"{number:04}.md", "subject": subject, "commit": "0123456789abcdef",
            "author_date": f"2026-01-0{number}T10:00:00+02:00", "sha256": hashlib.sha256(prompt.encode()).hexdigest(),
        })  # fmt: skip
    (folder / "history.json").write_text(json.dumps({"name": "kind-agent", "history": steps}))
    return folder


def test_a_history_becomes_versions_with_their_dates_and_subjects(pm, tmp_path):
    long = "word " * 60
    folder = history(tmp_path / "h", "One", "Two\r\n", "One", subjects=("First", long, "Back"))
    assert "3 of 3 versions are new" in run("import_history", folder, "--actor", "pm", "--folder", "Past")
    agent = Agent.objects.get(slug="kind-agent")
    one, two, three = agent.versions.order_by("number")
    assert [version.created_at.isoformat() for version in (one, two)] == [
        "2026-01-01T08:00:00+00:00",
        "2026-01-02T08:00:00+00:00",
    ]
    assert two.configuration.load().system_prompt == "Two\r\n"
    assert len(two.name) == 200
    assert long.strip() in two.description
    assert one.configuration_id == three.configuration_id == agent.draft_id
    restore_version(version=two, actor=pm)
    agent.refresh_from_db()
    assert agent.draft_id == two.configuration_id


@pytest.mark.usefixtures("pm")
def test_importing_a_history_again_goes_on_where_it_stopped(tmp_path):
    run("import_history", history(tmp_path / "h", "One", "Two"), "--actor", "pm")
    assert "0 of 2" in run("import_history", tmp_path / "h", "--actor", "pm")
    assert "1 of 3" in run("import_history", history(tmp_path / "h", "One", "Two", "Three"), "--actor", "pm")
    assert Agent.objects.get().versions.count() == 3


@pytest.mark.usefixtures("pm")
def test_another_history_is_never_mixed_into_an_agents_versions(tmp_path):
    run("import_history", history(tmp_path / "h", "One", "Two"), "--actor", "pm")
    with pytest.raises(CommandError, match="1 of 1"):
        run("import_history", history(tmp_path / "h", "Else", "Two", "Three"), "--actor", "pm")
    assert Agent.objects.get().versions.count() == 2


@pytest.mark.usefixtures("pm")
@pytest.mark.parametrize("damage", ["{", '{"name": "x", "history": []}', '{"name": "x", "history": [{}]}', None])
def test_a_history_that_cannot_be_read_imports_nothing(tmp_path, damage):
    folder = history(tmp_path / "h", "One", "Two")
    if damage is None:
        (folder / "0002.md").write_text("changed")
    else:
        (folder / "history.json").write_text(damage)
    with pytest.raises(CommandError):
        run("import_history", folder, "--actor", "pm")
    assert not Agent.objects.exists()
