"""Every real history becomes versions: digests recomputed by a second implementation, compared, restored exactly.

One test per history, so that parallel workers share them.
"""

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

from agentversions.core.changes import compare
from agentversions.core.importing import read_import
from agentversions.core.importing.history import INDEX, read_history
from agentversions.core.reading import write_body, write_document
from agentversions.models import Agent, AgentVersion
from agentversions.services.importing import import_history
from agentversions.services.publishing import restore_version
from tests.factories import make_user
from tests.independent_json import digest, write

HISTORIES = sorted(path.parent for path in Path(settings.CORPUS).glob(f"histories/*/{INDEX}"))
TEXTS = {"md", "jinja", "ts"}
PAIRS = 4


def load(folder: Path) -> tuple[Agent, list[AgentVersion]]:
    history = read_history((folder / INDEX).read_bytes(), lambda name: (folder / name).read_bytes())
    agent, _ = import_history(slug=folder.name, steps=history.steps, actor=make_user())
    return agent, list(agent.versions.order_by("number").select_related("configuration"))


def index_of(folder: Path) -> list[dict]:
    return json.loads((folder / INDEX).read_text())["history"]


def test_the_corpus_is_there_or_the_reason_is_said(corpus):
    assert len(HISTORIES) == 21


@pytest.mark.django_db
@pytest.mark.parametrize("folder", HISTORIES, ids=lambda folder: folder.name)
def test_every_step_is_a_version_whose_digest_another_implementation_computes_too(folder):
    agent, versions = load(folder)
    steps = index_of(folder)
    assert [version.number for version in versions] == list(range(1, len(steps) + 1))
    for version, step in zip(versions, steps, strict=True):
        body = version.configuration.body
        assert write(json.loads(body)) == body
        assert digest(json.loads(body)) == version.configuration_id == hashlib.sha256(body.encode()).hexdigest()
        assert version.name[:150] == " ".join(step["subject"].split())[:150]
    check_source(folder, versions, steps)
    check_returns(versions, steps)
    check_comparisons(versions)
    check_restores(agent, versions)


def check_source(folder: Path, versions: list[AgentVersion], steps: list[dict]) -> None:
    """The file's exact bytes stand in the version: in the kept source, or as the whole prompt."""
    for version, step in zip(versions, steps, strict=True):
        found = version.configuration.load()
        text = found.extensions["source"].get("text", found.system_prompt)
        assert hashlib.sha256(text.encode()).hexdigest() == step["sha256"]
        if step["file"].rpartition(".")[2] in TEXTS:
            assert found.system_prompt.encode() == (folder / step["file"]).read_bytes()


def check_returns(versions: list[AgentVersion], steps: list[dict]) -> None:
    """A content that comes back is the same configuration."""
    for version, step in zip(versions, steps, strict=True):
        if earlier := step.get("identical_to_version"):
            assert version.configuration_id == versions[earlier - 1].configuration_id


def check_comparisons(versions: list[AgentVersion]) -> None:
    """Neighbours and far apart, forth and back: equal exactly when the digests are, and said in words."""
    stride = max(1, len(versions) // PAIRS)
    sampled = versions[::stride] + versions[-1:]
    for base, head in [*pairwise(sampled), (versions[-1], versions[0])]:
        comparison = compare(base.configuration.load(), head.configuration.load())
        assert bool(comparison.changes) == (base.configuration_id != head.configuration_id)
        assert all(change.label and change.summary for change in comparison.changes)


def check_restores(agent: Agent, versions: list[AgentVersion]) -> None:
    """Any version comes back to the draft with its very digest."""
    for version in {versions[0], versions[len(versions) // 2], versions[-1]}:
        restored = restore_version(version=version, actor=agent.created_by).agent
        assert restored.draft_id == version.configuration_id
        assert write_document(restored.draft.load()) == write_document(version.configuration.load())


CONFIGS = sorted(Path(settings.CORPUS).glob("configs/*"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_of_the_corpus_is_imported_without_loss(path):
    content = path.read_bytes()
    imported = read_import(path.name, content)
    source = imported.configuration.extensions["source"]
    assert source.get("text", imported.configuration.system_prompt).encode() == content
    assert imported.secrets == ()
    assert hashlib.sha256(write_body(imported.configuration).encode()).hexdigest() == digest(
        json.loads(write_body(imported.configuration))
    )


EXPECTED = {
    "amazon-connect-lex.contact-flow.json": "Amazon Connect contact flow (JSON)",
    "art-foundry-customer-service.agent.yaml": "Azure voice agent (YAML)",
    "art-general-info.system-prompt.jinja": "text",
    "ckm-analyzer-audio.json": "call analyser (JSON)",
    "ckm-scenarios.json": "text",
    "elevenlabs-default-template.agent.json": "ElevenLabs agent (JSON)",
    "gemini-docs-writer.skill.md": "prompt with a header (Markdown)",
    "gemini-review-and-fix.command.toml": "prompt with a header (TOML)",
    "ha-ar-light_HassLightSet.yaml": "text",
    "ha-fr-binary_sensor_HassGetState.yaml": "text",
    "miniswe-programbench.agent.yaml": "agent of templates (YAML)",
    "n8n-vapi-business-hours.workflow.json": "n8n workflow (JSON)",
    "openai-realtime-authentication.agent.json": "OpenAI realtime agent (JSON)",
    "openai-realtime-simulatedHuman.agent.json": "OpenAI realtime agent (JSON)",
    "openai-realtime-supervisor.agent.json": "OpenAI realtime agent (JSON)",
    "pipecat-movie-booking.flow.json": "Pipecat flow (JSON)",
    "tau2-retail.agent.json": "System prompt with tools (JSON)",
    "vapi-cartesia-multilingual.json": "Vapi assistant (JSON)",
    "vapi-customer-sentiment.structured-output.yml": "Vapi structured output (YAML)",
    "vapi-ember-personality-first.system-prompt.md": "text",
    "vapi-ember-rigid-sop.assistant.json": "Vapi assistant (JSON)",
    "vapi-ember-rigid-sop.system-prompt.md": "text",
    "vapi-get-user.tool.yml": "Single tool (YAML)",
    "vapi-inbound-customer-support-older.assistant.yml": "Vapi assistant (YAML)",
    "vapi-inbound-customer-support.assistant.yml": "Vapi assistant (YAML)",
    "vapi-make-api-request.assistant.json": "Vapi assistant (JSON)",
    "vapi-receptionist.assistant.md": "Vapi assistant (Markdown)",
    "vapi-tool-create-reservation.code-tool.json": "Single tool (JSON)",
}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_of_the_corpus_is_recognised_also_without_its_name(path):
    assert read_import(path.name, path.read_bytes()).format == EXPECTED[path.name]
    assert read_import("pasted", path.read_bytes()).format == EXPECTED[path.name]
