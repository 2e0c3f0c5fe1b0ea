"""The portable folder and our archives: what is written is read back to the byte; what is dangerous is refused."""

import io
import stat
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings

from agentversions.core.importing import read_import
from agentversions.core.portable import read_folder, unused_files, write_folder
from agentversions.core.reading import InvalidConfiguration, read_document, write_body
from agentversions.core.zip_files import BadArchive, read_zip, write_zip
from tests.configurations import configurations


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configurations)
def test_a_folder_gives_back_the_exact_configuration(configuration):
    files = write_folder(configuration)
    assert write_body(read_folder(files)) == write_body(configuration)
    assert write_body(read_import("x.zip", write_zip(files)).configuration) == write_body(configuration)


def folder(**fields):
    return write_folder(read_document({"name": "Clinic", **fields}))


@pytest.mark.parametrize("prompt", ["", "a", "a\n", "a\r\nb\r\n", "a  \n\n\n", "\ufeffa", "a\u2028b"])
def test_the_prompt_file_is_the_prompt_and_nothing_else(prompt):
    assert folder(system_prompt=prompt)["prompt.md"] == prompt.encode()


def test_tools_get_safe_and_different_file_names_and_keep_their_order():
    names = ["../../etc/passwd", "con", "A", "a", "é", "zz", "b"]
    files = folder(tools=[{"name": name} for name in names])
    paths = [path for path in files if path.startswith("tools/")]
    assert len({path.casefold() for path in paths}) == len(names)
    assert all("/" not in path.removeprefix("tools/") and ".." not in path for path in paths)
    assert [tool.name for tool in read_folder(files).tools] == names


def test_an_archive_may_hold_the_folder_inside_another_and_says_what_it_left_out():
    files = {f"clinic/{path}": content for path, content in folder(system_prompt="Hi").items()}
    files["clinic/README.md"] = b"about"
    imported = read_import("clinic.zip", write_zip(files))
    assert imported.configuration.system_prompt == "Hi"
    assert unused_files(files) == ("clinic/README.md",)
    assert "README.md" in imported.warnings[0]


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("agent.yaml", b"name: a\nname: b\n", "stands twice"),
        ("agent.yaml", b"- a\n", "list of fields"),
        ("agent.yaml", b"format: other/2\nname: a\n", "not known here"),
        ("agent.yaml", b"name: a\ntools: [gone.json]\n", "no such file"),
        ("agent.yaml", b"name: a\nsystem_prompt: x\n", "both hold"),
        ("agent.yaml", b"name: \xff\n", "not UTF-8"),
        ("prompt.md", b"\xff", "not UTF-8"),
        ("workflow.json", b"{", "Line 1"),
        ("agent.yaml", b"name: a\nturn_taking: {vad_threshold: .nan}\n", "not a finite number"),
    ],
)
def test_what_is_wrong_in_a_folder_is_said_with_the_file(path, content, words):
    with pytest.raises(InvalidConfiguration, match=words):
        read_folder({**folder(system_prompt="Hi"), path: content})


def archive(*members: tuple[str, bytes], link: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in members:
            info = zipfile.ZipInfo(path)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
            file.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "a\\..\\x", "C:/x"])
def test_an_archive_never_points_outside_of_itself(path):
    with pytest.raises(BadArchive, match="points outside"):
        read_zip(archive((path, b"x")))


def test_links_and_repeated_files_in_an_archive_are_refused():
    with pytest.raises(BadArchive, match="is a link"):
        read_zip(archive(("agent.yaml", b"/etc/passwd"), link=True))
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = archive(("a", b"1"), ("a", b"2"))
    with pytest.raises(BadArchive, match="twice"):
        read_zip(twice)
    with pytest.raises(BadArchive, match="twice"):
        read_zip(archive(("Agent.yaml", b"1"), ("agent.yaml", b"2")))


def test_archives_that_explode_are_refused_by_size_ratio_and_count(monkeypatch):
    with pytest.raises(BadArchive, match="the limit is 100 MB"):
        read_zip(archive(*((f"{number}", b"\0" * 21_000_000) for number in range(5))))
    with pytest.raises(BadArchive, match="100 times"):
        read_zip(archive(("a", b"\0" * 12_000_000)))
    monkeypatch.setattr("agentversions.core.zip_files.MAX_FILES", 2)
    with pytest.raises(BadArchive, match="3 files"):
        read_zip(archive(("a", b""), ("b", b""), ("c", b"")))


@pytest.mark.parametrize("damage", [lambda b: b[:40], lambda b: b[:-10], lambda b: b.replace(b"hello", b"jello")])
def test_a_damaged_archive_is_refused_with_a_sentence(damage):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("agent.yaml", b"hello")
    with pytest.raises(BadArchive, match="damaged"):
        read_zip(damage(content.getvalue()))


def test_equal_folders_give_equal_archives():
    assert write_zip(folder(system_prompt="Hi")) == write_zip(folder(system_prompt="Hi"))
