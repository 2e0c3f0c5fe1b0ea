"""Exports are read back with identical digests; a changed export is noticed."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentversions.core.digest import digest_of
from agentversions.core.exchange import (
    AgentCopy,
    VersionCopy,
    read_agent,
    write_agent_json,
    write_agent_zip,
    write_version_json,
)
from agentversions.core.importing import read_import
from agentversions.core.reading import InvalidConfiguration, read_document, write_body
from agentversions.core.zip_files import read_zip, write_zip
from tests.configurations import configurations
from tests.independent_json import digest

WHEN = "2026-11-18T16:42:00+00:00"


def version(number: int, body: str, name: str = "A change") -> VersionCopy:
    return VersionCopy(number, name, "Why", WHEN, "pm", body)


def agent(*bodies: str) -> AgentCopy:
    versions = tuple(version(number, body) for number, body in enumerate(bodies, start=1))
    return AgentCopy("clinic", "Clinic", "Front desk", bodies[-1], versions)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configurations)
def test_an_exported_version_is_imported_with_its_digest(configuration):
    body = write_body(configuration)
    content = write_version_json("clinic", version(1, body))
    imported = read_import("v1.json", content)
    assert imported.warnings == ()
    assert digest_of(write_body(imported.configuration)) == digest_of(body)
    assert digest(json.loads(content)["configuration"]) == digest_of(body)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(configurations, min_size=1, max_size=3))
def test_an_exported_agent_is_read_back_equal_from_json_and_from_the_archive(found):
    copy = agent(*(write_body(configuration) for configuration in found))
    assert read_agent(write_agent_json(copy)) == copy
    assert read_agent(write_agent_zip(copy)) == copy


BODY = write_body(read_document({"name": "Clinic", "system_prompt": "Hi"}))


def test_each_file_of_the_archive_is_named_after_its_sha_256():
    files = read_zip(write_agent_zip(agent(BODY, BODY)))
    assert sorted(files) == [f"configurations/{digest_of(BODY)}.json", "manifest.json"]
    assert files[f"configurations/{digest_of(BODY)}.json"].decode() == BODY


def test_a_configuration_without_the_newest_fields_keeps_its_bytes_and_digest():
    old = '{"name":"Clinic","system_prompt":"Hi"}'
    assert read_agent(write_agent_zip(agent(old))).versions[0].body == old
    assert read_agent(write_agent_json(agent(old))).draft == old


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b'"system_prompt": "Hi"', b'"system_prompt": "Ho"', "was changed since it was exported"),
        (b'"number": 1', b'"number": 2', "without gaps"),
        (b'"number": 1', b'"number": true', "cannot be read"),
        (b'"name": "A change"', b'"name": " "', "no name"),
        (b'"draft"', b'"daft"', "'draft' is missing"),
        (b'"format": "agent-versions/1"', b'"format": "x", "was": "agent-versions/1"', "not known here"),
    ],
)
def test_a_changed_export_of_an_agent_is_refused(before, after, words):
    content = write_agent_json(agent(BODY))
    assert before in content
    with pytest.raises(InvalidConfiguration, match=words):
        read_agent(content.replace(before, after, 1))


def test_a_changed_export_of_a_version_is_imported_with_a_warning():
    content = write_version_json("clinic", version(1, BODY)).replace(b'"Hi"', b'"Ho"')
    imported = read_import("v1.json", content)
    assert imported.configuration.system_prompt == "Ho"
    assert "was changed" in imported.warnings[0]


def test_other_documents_are_no_export_of_an_agent():
    assert read_agent(b'{"versions": []}') is None
    assert read_agent(b"text") is None
    assert read_agent(write_zip({"agent.yaml": b"name: x"})) is None
    assert read_agent(write_version_json("clinic", version(1, BODY))) is None
