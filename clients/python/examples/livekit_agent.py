"""A LiveKit agent that runs whatever configuration answers the number that was called.

`pip install agent-versions-client livekit-agents`, set AGENT_VERSIONS_URL, AGENT_VERSIONS_TOKEN and LiveKit's own
LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, then `python livekit_agent.py start`. Models run through LiveKit's
inference; where you have plugins of your own, build them in `session_for`.
"""

import asyncio
import os
from typing import Any

from agent_versions_client import Client
from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, function_tool, inference
from livekit.agents.llm import RawFunctionTool
from tools import call_tool, fill, schema_of

FOLDER = "/var/lib/agent-versions"
"""Where the client keeps what was known last, for the time when nothing answers."""
server = AgentServer()


@server.rtc_session()
async def answer(job: JobContext) -> None:
    """One call: ask which configuration answers, then run it."""
    await job.connect()
    caller = await job.wait_for_participant(kind=[rtc.ParticipantKind.PARTICIPANT_KIND_SIP])
    versions = Client(os.environ["AGENT_VERSIONS_URL"], os.environ["AGENT_VERSIONS_TOKEN"], folder=FOLDER)
    # The client waits for the network: not in the loop that carries the sound.
    resolved = await asyncio.to_thread(
        versions.resolve,
        caller.attributes["sip.trunkPhoneNumber"],
        caller=caller.attributes.get("sip.phoneNumber"),
        call_id=caller.attributes["sip.callID"],
    )
    job.log_context_fields = {"agent": resolved.agent, "version": resolved.version, "digest": resolved.digest}
    configuration = resolved.configuration
    session = session_for(configuration)
    await session.start(agent=agent_for(configuration), room=job.room)
    if configuration["welcome_message"]:
        await session.say(fill(configuration["welcome_message"], configuration))


def agent_for(configuration: dict[str, Any]) -> Agent:
    """What the agent says and can do."""
    return Agent(
        instructions=fill(configuration["system_prompt"], configuration),
        tools=[tool_for(tool) for tool in configuration["tools"] if tool["endpoint"]],
    )


def session_for(configuration: dict[str, Any]) -> AgentSession[None]:
    """Models and turn taking of a call."""
    model, voice, ears = configuration["model"], configuration["voice"], configuration["transcriber"]
    turns = configuration["turn_taking"]
    options: dict[str, Any] = {"temperature": model["temperature"]}
    if model["max_tokens"] is not None:
        options["max_completion_tokens"] = model["max_tokens"]
    return AgentSession(
        llm=inference.LLM(f"{model['provider']}/{model['name']}", extra_kwargs=options),
        tts=inference.TTS(f"{voice['provider']}/{voice['model']}", voice=voice["voice"]),
        stt=inference.STT(f"{ears['provider']}/{ears['model']}", language=configuration["language"]),
        turn_handling={
            "endpointing": {"min_delay": turns["end_of_speech_wait_ms"] / 1000},
            "interruption": {
                "enabled": turns["interruptions_enabled"],
                "min_words": turns["interruption_min_words"],
            },
        },
        user_away_timeout=turns["inactivity_timeout_s"] or None,
    )


def tool_for(tool: dict[str, Any]) -> RawFunctionTool[Any, Any]:
    """One tool, described to the language model as the configuration describes it."""

    async def run(raw_arguments: dict[str, object]) -> str:
        return await call_tool(tool, raw_arguments)

    description = {"name": tool["name"], "description": tool["description"], "parameters": schema_of(tool)}
    return function_tool(run, raw_schema=description)


if __name__ == "__main__":
    cli.run_app(server)
