"""A Pipecat bot behind Twilio's media stream that runs the configuration its webhook chose.

`/twilio/voice` of Agent Versions answers a call with `<Connect><Stream>` and puts `digest` and `resolution` into the
stream's parameters; Pipecat's development runner hands them over in `call_data`. `pip install agent-versions-client
"pipecat-ai[runner,websocket,openai,silero]"`, set AGENT_VERSIONS_URL, AGENT_VERSIONS_TOKEN and OPENAI_API_KEY, then
`python pipecat_bot.py --transport twilio`. Other providers: build their services in `voice_for` and `ears_for`.
"""

import asyncio
import os
from typing import Any

from agent_versions_client import Client
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.base_transport import BaseTransport
from tools import call_tool, fill, schema_of

FOLDER = "/var/lib/agent-versions"
"""Where the client keeps configurations, each fetched once."""


async def configuration_of(digest: str) -> dict[str, Any]:
    """The configuration that the webhook chose; kept by digest, so that a known one costs no request."""
    versions = Client(os.environ["AGENT_VERSIONS_URL"], os.environ["AGENT_VERSIONS_TOKEN"], folder=FOLDER)
    return await asyncio.to_thread(versions.configuration, digest)


def worker_for(configuration: dict[str, Any], transport: BaseTransport) -> PipelineWorker:
    """The whole pipeline of one call: ears, language model with its tools, voice."""
    llm, context = mind_for(configuration)
    pair = LLMContextAggregatorPair(context, user_params=turns_for(configuration))
    steps = [
        transport.input(),
        ears_for(configuration),
        pair.user(),
        llm,
        voice_for(configuration),
        transport.output(),
        pair.assistant(),
    ]
    return PipelineWorker(Pipeline(steps), idle_timeout_secs=configuration["turn_taking"]["inactivity_timeout_s"])


def mind_for(configuration: dict[str, Any]) -> tuple[OpenAILLMService, LLMContext]:
    """The language model, and the conversation it begins with: prompt, greeting, tools."""
    model = configuration["model"]
    settings = OpenAILLMService.Settings(
        model=model["name"],
        temperature=model["temperature"],
        system_instruction=fill(configuration["system_prompt"], configuration),
    )
    if model["max_tokens"] is not None:
        settings.max_completion_tokens = model["max_tokens"]
    llm = OpenAILLMService(api_key=os.environ["OPENAI_API_KEY"], settings=settings)
    tools = [tool for tool in configuration["tools"] if tool["endpoint"]]
    for tool in tools:
        llm.register_function(tool["name"], handler_for(tool), timeout_secs=tool["timeout_s"])
    schemas = [
        FunctionSchema(
            name=tool["name"],
            description=tool["description"],
            properties=schema_of(tool).get("properties", {}),
            required=schema_of(tool).get("required", []),
        )
        for tool in tools
    ]
    greeting = fill(configuration["welcome_message"], configuration)
    context = LLMContext([{"role": "assistant", "content": greeting}], tools=ToolsSchema(standard_tools=schemas))
    return llm, context


def handler_for(tool: dict[str, Any]) -> Any:
    """What runs when the language model calls a tool."""

    async def run(params: FunctionCallParams) -> None:
        await params.result_callback(await call_tool(tool, dict(params.arguments)))

    return run


def voice_for(configuration: dict[str, Any]) -> OpenAITTSService:
    """The voice that callers hear."""
    voice = configuration["voice"]
    settings = OpenAITTSService.Settings(model=voice["model"], voice=voice["voice"], speed=voice["speed"])
    return OpenAITTSService(api_key=os.environ["OPENAI_API_KEY"], settings=settings)


def ears_for(configuration: dict[str, Any]) -> OpenAISTTService:
    """What turns the caller's words into text."""
    settings = OpenAISTTService.Settings(
        model=configuration["transcriber"]["model"], language=configuration["language"]
    )
    return OpenAISTTService(api_key=os.environ["OPENAI_API_KEY"], settings=settings)


def turns_for(configuration: dict[str, Any]) -> LLMUserAggregatorParams:
    """Who speaks when."""
    turns = configuration["turn_taking"]
    return LLMUserAggregatorParams(
        user_turn_stop_timeout=turns["end_of_speech_wait_ms"] / 1000,
        user_idle_timeout=turns["silence_timeout_s"],
    )


async def bot(arguments: Any) -> None:
    """Pipecat's entry point: one call."""
    from pipecat.runner.utils import create_transport
    from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams
    from pipecat.workers.runner import WorkerRunner

    wanted = {"twilio": lambda: FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True)}
    transport = await create_transport(arguments, wanted)
    configuration = await configuration_of(arguments.call_data.body["digest"])
    runner = WorkerRunner(handle_sigint=arguments.handle_sigint)
    await runner.add_workers(worker_for(configuration, transport))
    await runner.run()


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
