"""The examples build what they say with the frameworks' own classes: `make test-examples`."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

CONFIGURATION: dict[str, Any] = {
    "name": "Clinic receptionist",
    "system_prompt": "You answer for {{ clinic }}, {{unknown}} stays.",
    "welcome_message": "Hello, this is {{clinic}}.",
    "variables": [{"name": "clinic", "default": "Clinic Nord", "description": ""}],
    "model": {"provider": "openai", "name": "gpt-4o", "temperature": 0.3, "max_tokens": 300},
    "language": "en",
    "voice": {"provider": "openai", "voice": "nova", "model": "gpt-4o-mini-tts", "speed": 1.25},
    "transcriber": {"provider": "deepgram", "model": "nova-3"},
    "turn_taking": {
        "end_of_speech_wait_ms": 900,
        "interruptions_enabled": True,
        "interruption_min_words": 2,
        "silence_timeout_s": 8.0,
        "inactivity_timeout_s": 40.0,
    },
    "tools": [
        {
            "name": "free_slots",
            "description": "Lists free appointments",
            "parameters": {
                "type": "object",
                "properties": {"day": {"type": "string"}},
                "required": ["day"],
            },
            "endpoint": "",
            "method": "POST",
            "headers": {"Authorization": "Bearer {{secret:CRM_TOKEN}}"},
            "timeout_s": 5.0,
        },
        {"name": "hang_up", "description": "", "parameters": {}, "endpoint": "", "headers": {}, "timeout_s": 5.0},
    ],
}


class Crm(BaseHTTPRequestHandler):
    """Says what it was asked; fails for Sundays."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = json.dumps({"asked": json.loads(body), "as": self.headers["Authorization"]}).encode()
        self.send_response(500 if "Sunday" in body else 200)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name in ("CRM_TOKEN", "OPENAI_API_KEY", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, f"the {name.lower()}")
    monkeypatch.setenv("LIVEKIT_URL", "wss://livekit.example.com")
    server = HTTPServer(("127.0.0.1", 0), Crm)
    Thread(target=server.serve_forever, daemon=True).start()
    tools = [{**CONFIGURATION["tools"][0], "endpoint": f"http://127.0.0.1:{server.server_port}/"}]
    yield {**CONFIGURATION, "tools": [*tools, CONFIGURATION["tools"][1]]}
    server.shutdown()


def test_a_tool_is_called_with_its_secret_and_a_failure_is_told(configuration: dict[str, Any]) -> None:
    from tools import call_tool

    tool = configuration["tools"][0]
    said = json.loads(asyncio.run(call_tool(tool, {"day": "Monday"})))
    assert said == {"asked": {"day": "Monday"}, "as": "Bearer the crm_token"}
    assert "The tool failed (HTTPStatusError)" in asyncio.run(call_tool(tool, {"day": "Sunday"}))
    assert "The tool failed (ConnectError)" in asyncio.run(call_tool({**tool, "endpoint": "http://127.0.0.1:1/"}, {}))


def test_livekit_gets_the_configuration(configuration: dict[str, Any]) -> None:
    livekit_agent = pytest.importorskip("livekit_agent")

    async def build() -> None:
        agent = livekit_agent.agent_for(configuration)
        assert agent.instructions == "You answer for Clinic Nord, {{unknown}} stays."
        (tool,) = agent.tools
        assert tool.info.raw_schema["parameters"]["required"] == ["day"]
        assert tool.info.name == "free_slots"
        assert "Monday" in await tool({"day": "Monday"})
        session = livekit_agent.session_for(configuration)
        assert session.llm.model == "openai/gpt-4o"
        assert session.llm._opts.extra_kwargs["temperature"] == 0.3
        assert session.llm._opts.extra_kwargs["max_completion_tokens"] == 300
        assert session.tts._opts.voice == "nova"
        assert session.stt._opts.model == "deepgram/nova-3"
        assert session.options.endpointing["min_delay"] == 0.9
        assert session.options.interruption["min_words"] == 2

    asyncio.run(build())


def test_pipecat_gets_the_configuration(configuration: dict[str, Any]) -> None:
    pipecat_bot = pytest.importorskip("pipecat_bot")
    from pipecat.processors.frame_processor import FrameProcessor
    from pipecat.transports.base_transport import BaseTransport

    class Line(BaseTransport):  # type: ignore[misc]
        """A telephone line that carries nothing."""

        def input(self) -> FrameProcessor:
            return FrameProcessor()

        def output(self) -> FrameProcessor:
            return FrameProcessor()

    async def build() -> None:
        llm, context = pipecat_bot.mind_for(configuration)
        assert llm._settings.model == "gpt-4o"
        assert llm._settings.temperature == 0.3
        assert llm._settings.max_completion_tokens == 300
        assert llm._settings.system_instruction == "You answer for Clinic Nord, {{unknown}} stays."
        assert llm.has_function("free_slots")
        assert not llm.has_function("hang_up")
        assert context.messages == [{"role": "assistant", "content": "Hello, this is Clinic Nord."}]
        (schema,) = context.tools.standard_tools
        assert (schema.name, schema.required) == ("free_slots", ["day"])
        voice = pipecat_bot.voice_for(configuration)
        assert (voice._settings.voice, voice._settings.speed) == ("nova", 1.25)
        assert pipecat_bot.turns_for(configuration).user_turn_stop_timeout == 0.9
        assert pipecat_bot.worker_for(configuration, Line()) is not None

        said: list[str] = []

        class Params:
            arguments = {"day": "Monday"}

            async def result_callback(self, result: str) -> None:
                said.append(result)

        await pipecat_bot.handler_for(configuration["tools"][0])(Params())
        assert "Monday" in said[0]

    asyncio.run(build())
