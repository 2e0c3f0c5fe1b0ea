"""What voice platforms post about one call, written after their documentation; each a list in its order."""

import json
from typing import Any
from urllib.parse import urlencode

STARTED, ENDED = "2025-11-20T12:02:44.250000+00:00", "2025-11-20T12:05:09.750000+00:00"
STARTED_MS, ENDED_MS = 1763640164250, 1763640309750
CALLER, CALLED = "+33612345678", "+33198765432"
TOKEN = "r1.k1.payload.signature"


def as_body(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def vapi_call(**more: Any) -> dict[str, Any]:
    return {
        "id": "7420f27a-30fd-4f49-a995-5549ae7cc00d",
        "orgId": "eb166faa-7145-46ef-8044-589b47ae3b56",
        "type": "inboundPhoneCall",
        "status": "in-progress",
        "startedAt": "2025-11-20T12:02:44.250Z",
        "assistantOverrides": {"metadata": {"resolution": TOKEN}, "variableValues": {"name": "Zoë"}},
        **more,
    }


def vapi_message(kind: str, **more: Any) -> dict[str, Any]:
    message = {
        "timestamp": ENDED_MS + 9_000,
        "type": kind,
        "call": vapi_call(),
        "phoneNumber": {"id": "pn1", "number": CALLED, "provider": "twilio"},
        "customer": {"number": CALLER},
        "assistant": {"name": "Reception", "model": {"provider": "openai"}},
    }
    return {"message": {**message, **more}}


def vapi_report(**more: Any) -> dict[str, Any]:
    said = [
        {"role": "system", "message": "You are a receptionist.", "time": STARTED_MS, "secondsFromStart": 0},
        {"role": "bot", "message": "Hello, the clinic.", "time": STARTED_MS + 900, "secondsFromStart": 0.9},
        {"role": "user", "message": "I need an appointment.", "secondsFromStart": 3.2, "duration": 1800},
        {
            "role": "tool_calls",
            "secondsFromStart": 5.5,
            "message": "",
            "toolCalls": [
                {"id": "t1", "type": "function", "function": {"name": "slots", "arguments": '{"day": "2025-11-21"}'}}
            ],
        },
        {
            "role": "tool_call_result",
            "name": "slots",
            "toolCallId": "t1",
            "result": '["10:00"]',
            "secondsFromStart": 6.1,
        },
        {"role": "bot", "message": "At ten?", "secondsFromStart": 7.0},
    ]
    fields = {
        "endedReason": "customer-ended-call",
        "startedAt": "2025-11-20T12:02:44.250Z",
        "endedAt": "2025-11-20T12:05:09.750Z",
        "durationSeconds": 145.5,
        "cost": 0.1193,
        "costBreakdown": {"stt": 0.02, "llm": 0.01},
        "analysis": {
            "summary": "The caller booked an appointment.",
            "structuredData": {"booked": True, "day": "2025-11-21"},
            "successEvaluation": "true",
        },
        "artifact": {
            "messages": said,
            "transcript": "AI: Hello, the clinic.\nUser: I need an appointment.\n",
            "recordingUrl": "https://storage.vapi.ai/call-mono.wav",
            "recording": {"mono": {"combinedUrl": "https://storage.vapi.ai/call-combined.wav"}},
            "performanceMetrics": {"turnLatencies": [{"turnLatency": 900}], "turnLatencyAverage": 912.5},
            "structuredOutputs": {"5f1c": {"name": "intent", "result": "booking"}},
        },
    }
    return vapi_message("end-of-call-report", **{**fields, **more})


def vapi() -> list[bytes]:
    return [
        as_body(vapi_message("status-update", status="in-progress")),
        as_body(vapi_message("status-update", status="ended", endedReason="customer-ended-call")),
        as_body(vapi_report()),
    ]


def retell_call(**more: Any) -> dict[str, Any]:
    return {
        "call_type": "phone_call",
        "call_id": "call_a1b2c3",
        "agent_id": "agent_1",
        "agent_version": 3,
        "call_status": "ended",
        "from_number": CALLER,
        "to_number": CALLED,
        "direction": "inbound",
        "metadata": {"customer": "7"},
        "retell_llm_dynamic_variables": {"resolution": TOKEN},
        "start_timestamp": STARTED_MS,
        "opt_out_sensitive_data_storage": False,
        **more,
    }


def retell_ended(**more: Any) -> dict[str, Any]:
    def words(start: float) -> list[dict[str, Any]]:
        return [{"word": "Hello", "start": start, "end": start + 0.4}]

    fields = {
        "end_timestamp": ENDED_MS,
        "duration_ms": 145_500,
        "disconnection_reason": "user_hangup",
        "transcript": "Agent: Hello\nUser: I need an appointment.\n",
        "transcript_with_tool_calls": [
            {"role": "agent", "content": "Hello", "words": words(0.7)},
            {"role": "user", "content": "I need an appointment.", "words": words(2.5)},
            {"role": "tool_call_invocation", "tool_call_id": "t1", "name": "slots", "arguments": '{"day":1}'},
            {"role": "tool_call_result", "tool_call_id": "t1", "content": '["10:00"]'},
            {"role": "node_transition", "new_node_id": "n2"},
            {"role": "dtmf", "digit": "5"},
        ],
        "recording_url": "https://retell.example.com/recording.wav",
        "latency": {"e2e": {"p50": 800, "p90": 1200, "num": 10}, "llm": {"p50": 400}},
        "call_cost": {"combined_cost": 12.5, "total_duration_seconds": 145, "product_costs": []},
        **more,
    }
    return retell_call(**fields)


def retell() -> list[bytes]:
    analysis = {
        "call_summary": "The caller booked an appointment.",
        "in_voicemail": False,
        "user_sentiment": "Positive",
        "call_successful": True,
        "custom_analysis_data": {"booked": True},
    }
    return [
        as_body({"event": "call_started", "call": retell_call(call_status="ongoing")}),
        as_body({"event": "call_ended", "call": retell_ended()}),
        as_body({"event": "call_analyzed", "call": retell_ended(call_analysis=analysis)}),
    ]


def elevenlabs_transcription(**more: Any) -> dict[str, Any]:
    turns = [
        {"role": "agent", "message": "Hello.", "tool_calls": None, "tool_results": None, "time_in_call_secs": 0},
        {"role": "user", "message": "I need an appointment.", "time_in_call_secs": 2, "tool_calls": []},
        {
            "role": "agent",
            "message": None,
            "time_in_call_secs": 5,
            "tool_calls": [{"tool_name": "slots", "params_as_json": '{"day": 1}', "request_id": "t1"}],
            "tool_results": [{"tool_name": "slots", "result_value": '["10:00"]', "is_error": False}],
        },
    ]
    data = {
        "agent_id": "agent_1",
        "conversation_id": "conv_01jxd5y165f62a0v7gtr6bkg56",
        "status": "done",
        "transcript": turns,
        "metadata": {
            "start_time_unix_secs": 1763640164,
            "call_duration_secs": 145,
            "cost": 296,
            "termination_reason": "end_call tool was called.",
            "error": None,
            "features_usage": {"transfer_to_number": {"enabled": True, "used": False}},
            "phone_call": {
                "type": "twilio",
                "direction": "inbound",
                "agent_number": CALLED,
                "external_number": CALLER,
                "call_sid": "CA1",
            },
        },
        "analysis": {
            "evaluation_criteria_results": {"polite": {"result": "success", "rationale": "It was."}},
            "data_collection_results": {"booked": {"value": True, "rationale": "…", "json_schema": {}}},
            "call_successful": "success",
            "transcript_summary": "The caller booked an appointment.",
        },
        "conversation_initiation_client_data": {"dynamic_variables": {"resolution": TOKEN, "name": "Zoë"}},
        **more,
    }
    return {"type": "post_call_transcription", "event_timestamp": 1763640320, "data": data}


def elevenlabs() -> list[bytes]:
    return [as_body(elevenlabs_transcription())]


def twilio_form(status: str, **more: str) -> dict[str, str]:
    return {
        "CallSid": "CA0123456789abcdef0123456789abcdef",
        "AccountSid": "AC1",
        "From": CALLER,
        "To": CALLED,
        "CallStatus": status,
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "CallbackSource": "call-progress-events",
        **more,
    }


def twilio() -> list[bytes]:
    answered = twilio_form("in-progress", SequenceNumber="2", Timestamp="Thu, 20 Nov 2025 12:02:44 +0000")
    completed = twilio_form(
        "completed",
        SequenceNumber="3",
        Timestamp="Thu, 20 Nov 2025 12:05:09 +0000",
        CallDuration="145",
        RecordingUrl="https://api.twilio.com/Recordings/RE1",
    )
    early = [twilio_form("initiated", SequenceNumber="0"), twilio_form("ringing", SequenceNumber="1")]
    return [urlencode(form).encode() for form in (*early, answered, completed)]


ALL = {"vapi": vapi, "retell": retell, "elevenlabs": elevenlabs, "twilio": twilio}
