"""Documents of other platforms: what they are is found in their content, and nothing of them is lost."""

import json

import pytest

from agentversions.core.importing import read_import
from agentversions.core.reading import InvalidConfiguration, read_document, write_document
from tests.core.foreign import ELEVENLABS, OPENAI, RETELL, RETELL_FLOW, VAPI


def read(document, name="agent.json"):
    return read_import(name, document if isinstance(document, bytes) else json.dumps(document).encode())


def test_a_vapi_assistant_is_mapped_field_by_field():
    imported = read(VAPI)
    found = imported.configuration
    assert imported.format == "Vapi assistant (JSON)"
    assert (found.system_prompt, found.welcome_message) == ("Be kind.", "Hello!")
    assert (found.model.provider, found.model.name, found.model.max_tokens) == ("openai", "gpt-4.1", 250)
    assert (found.voice.provider, found.voice.voice, found.language) == ("11labs", "sarah", "fr")
    assert found.turn_taking.end_of_speech_wait_ms == 400
    assert found.turn_taking.interruption_min_words == 2
    assert found.turn_taking.max_duration_s == 180
    assert (found.background_sound.enabled, found.background_sound.sound) == (True, "office")
    lookup, hang_up = found.tools
    assert (lookup.endpoint, lookup.method, lookup.timeout_s) == ("https://api.example.com/orders", "GET", 9)
    assert lookup.speech_while_running == "One moment."
    assert (hang_up.name, hang_up.kind) == ("endCall", "built_in")
    assert [field.name for field in found.call_analysis.fields] == ["mood", "total"]
    assert imported.unmapped == ("model.toolIds", "voice.version", "voicemailMessage")
    assert found.extensions["vapi"] == {"model": {"toolIds": ["x"]}, "voice": {"version": 2}, "voicemailMessage": "Bye"}


def test_an_elevenlabs_agent_is_mapped_field_by_field():
    imported = read(ELEVENLABS)
    found = imported.configuration
    assert imported.format == "ElevenLabs agent (JSON)"
    assert (found.name, found.system_prompt, found.welcome_message) == ("Shop", "Sell.", "Hi")
    assert (found.model.provider, found.model.name, found.model.temperature) == ("google", "gemini-2.5-flash", 0)
    assert (found.voice.voice, found.voice.model, found.voice.speed) == ("cjV", "eleven_turbo_v2", 1.1)
    assert (found.turn_taking.silence_timeout_s, found.turn_taking.max_duration_s) == (7, 600)
    assert [(base.id, base.retrieval.top_k) for base in found.knowledge_bases] == [("kb1", 8)]
    assert found.tools[0].endpoint == "https://shop.example.com/stock"
    assert found.variables[0].name == "customer"
    assert found.call_analysis.fields[0].name == "wants_refund"


def test_a_retell_agent_is_mapped_with_the_language_model_in_its_export():
    found = read(RETELL).configuration
    assert (found.name, found.system_prompt, found.welcome_message) == ("Desk", "Answer.", "Hello")
    assert (found.model.provider, found.model.name, found.model.temperature) == ("openai", "gpt-4o", 0.2)
    assert found.turn_taking.inactivity_timeout_s == 30
    assert (found.background_sound.sound, found.background_sound.volume) == ("coffee-shop", 0.5)
    assert [tool.kind for tool in found.tools] == ["built_in", "webhook"]
    assert found.call_analysis.fields[0].choices == ("a", "b")


def test_a_retell_flow_becomes_nodes_and_edges():
    found = read(RETELL_FLOW).configuration
    assert found.kind == "workflow"
    assert [(node.id, node.prompt) for node in found.workflow.nodes] == [("start", "Greet."), ("end", "")]
    assert [(edge.source, edge.target, edge.condition) for edge in found.workflow.edges] == [("start", "end", "Done")]


def test_an_openai_session_is_mapped_inside_or_outside_of_its_event():
    for document in (OPENAI, {"type": "session.update", "session": OPENAI}):
        found = read(document).configuration
        assert (found.system_prompt, found.voice.voice) == ("Be brief.", "sage")
        assert found.turn_taking.vad_threshold == 0.6
        assert found.turn_taking.end_of_speech_wait_ms == 500
        assert [tool.name for tool in found.tools] == ["flat", "nested"]


def test_a_list_of_tools_is_imported_as_tools():
    imported = read([{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}])
    assert [tool.name for tool in imported.configuration.tools] == ["a"]
    assert "not an agent" in imported.warnings[0]


def test_our_own_json_is_read_exactly_and_its_errors_name_the_field():
    document = write_document(read_document({"name": "Clinic", "system_prompt": "Hi "}))
    assert write_document(read(document).configuration) == document
    with pytest.raises(InvalidConfiguration, match="Temperature must be at most 2"):
        read({"name": "Clinic", "model": {"temperature": 3}})


@pytest.mark.parametrize(
    "content",
    [b"You are kind.\r\n\r\n", b"{# jinja #}\nHi {{ x }}", b"a: 1\nb: [", b"x = 1\n", b"{not json", b"\xef\xbb\xbfHi",
     b"language: ar\nintents: {}\n", b"", b"  \n",
     "你好\u00a0مرحبا\n".encode(), b"---\nno: end\n", b"\x1b[31m<script>"],
)  # fmt: skip
def test_what_is_no_known_document_becomes_the_prompt_to_the_byte(content):
    imported = read_import("prompt.md", content)
    assert imported.configuration.system_prompt.encode() == content
    assert imported.format == "text"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"a": 1, "a": 2}', "stands twice"),
        ("a.json", b'{"a": NaN}', "NaN"),
        ("a.json", b"{", "a.json: Line 1"),
        ("a.yaml", b"a: &a [*a]", "a.yaml"),
        ("a.toml", b"x =", "a.toml"),
        ("a.txt", b"\xff\xfe", "neither UTF-8 text nor a zip"),
        ("a.txt", b"a\x00b", "NUL"),
        ("a.zip", b"PK\x03\x04rest", "damaged"),
        ("a.txt", b"x" * 2_000_001, "limit is 2 MB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(name, content, words):
    with pytest.raises(InvalidConfiguration, match=words):
        read_import(name, content)


def test_a_name_out_of_range_or_of_the_wrong_type_stays_in_the_extensions():
    imported = read({**VAPI, "name": "x" * 300, "model": {**VAPI["model"], "temperature": 5, "maxTokens": "many"}})
    assert imported.configuration.name == "Agent"
    assert imported.configuration.extensions["vapi"]["model"]["temperature"] == 5
    assert imported.configuration.extensions["vapi"]["model"]["maxTokens"] == "many"
    assert any("model.temperature" in warning for warning in imported.warnings)


def test_two_tools_of_one_name_are_both_kept():
    tools = [{"type": "function", "function": {"name": "end", "description": words}} for words in ("a", "b", "a")]
    assert [tool.name for tool in read(tools).configuration.tools] == ["end", "end-2"]


def test_every_kept_source_is_the_exact_text():
    text = json.dumps(VAPI, indent=3).replace("\n", "\r\n") + "\n\n"
    source = read(text.encode(), "mine.json").configuration.extensions["source"]
    assert source == {"format": "Vapi assistant (JSON)", "file": "mine.json", "text": text}
