"""Documents in the shapes of other platforms, written for the tests from their public references."""

from typing import Any

LOOKUP: dict[str, Any] = {
    "type": "apiRequest", "name": "lookup", "description": "Find an order", "method": "get",
    "url": "https://api.example.com/orders", "timeoutSeconds": 9, "body": {"type": "object", "properties": {}},
    "messages": [{"type": "request-start", "content": "One moment."}],
}  # fmt: skip
VAPI: dict[str, Any] = {
    "name": "Alex", "firstMessage": "Hello!",
    "model": {
        "provider": "openai", "model": "gpt-4.1", "temperature": 0.3, "maxTokens": 250, "toolIds": ["x"],
        "messages": [{"role": "system", "content": "Be kind."}], "tools": [LOOKUP, {"type": "endCall"}],
    },
    "voice": {"provider": "11labs", "voiceId": "sarah", "version": 2},
    "transcriber": {"provider": "deepgram", "model": "nova-2", "language": "fr"},
    "startSpeakingPlan": {"waitSeconds": 0.4}, "stopSpeakingPlan": {"numWords": 2},
    "maxDurationSeconds": 180, "backgroundSound": "office", "voicemailMessage": "Bye",
    "analysisPlan": {"structuredDataPlan": {"schema": {"type": "object", "required": ["mood"], "properties": {
        "mood": {"type": "string", "enum": ["good", "bad"]}, "total": {"type": "number", "description": "Euros"}}}}},
}  # fmt: skip
ELEVENLABS: dict[str, Any] = {
    "name": "Shop",
    "conversation_config": {
        "agent": {
            "first_message": "Hi", "language": "en",
            "dynamic_variables": {"dynamic_variable_placeholders": {"customer": "you"}},
            "prompt": {
                "prompt": "Sell.", "llm": "gemini-2.5-flash", "temperature": 0, "max_tokens": -1,
                "knowledge_base": [{"id": "kb1", "name": "FAQ"}], "rag": {"max_retrieved_rag_chunks_count": 8},
                "tools": [{"type": "webhook", "name": "stock", "api_schema": {"url": "https://shop.example.com/stock",
                                                                               "method": "GET"}}],
            },
        },
        "tts": {"voice_id": "cjV", "model_id": "eleven_turbo_v2", "speed": 1.1},
        "turn": {"turn_timeout": 7.0, "silence_end_call_timeout": -1.0},
        "conversation": {"max_duration_seconds": 600},
    },
    "platform_settings": {"data_collection": {"wants_refund": {"type": "boolean", "description": "Wants money back"}}},
}  # fmt: skip
RETELL: dict[str, Any] = {
    "agent_name": "Desk", "response_engine": {"type": "retell-llm", "llm_id": "llm_1"}, "voice_id": "11labs-Adrian",
    "language": "en-US", "ambient_sound": "coffee-shop", "ambient_sound_volume": 0.5,
    "end_call_after_silence_ms": 30000,
    "post_call_analysis_data": [{"type": "enum", "name": "kind", "description": "Which", "choices": ["a", "b"]}],
    "retellLlmData": {
        "model": "gpt-4o", "model_temperature": 0.2, "general_prompt": "Answer.", "begin_message": "Hello",
        "general_tools": [{"type": "end_call", "name": "end_call"},
                          {"type": "custom", "name": "book", "url": "https://a.example.com/book", "timeout_ms": 8000}],
    },
}  # fmt: skip
RETELL_FLOW: dict[str, Any] = {
    "start_node_id": "start", "global_prompt": "You are calm.",
    "nodes": [
        {"id": "start", "type": "conversation", "instruction": {"type": "prompt", "text": "Greet."},
         "edges": [{"id": "e1", "destination_node_id": "end",
                    "transition_condition": {"type": "prompt", "prompt": "Done"}}]},
        {"id": "end", "type": "end"},
    ],
}  # fmt: skip
OPENAI: dict[str, Any] = {
    "instructions": "Be brief.", "voice": "sage", "model": "gpt-realtime",
    "turn_detection": {"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 500},
    "tools": [{"type": "function", "name": "flat", "parameters": {"type": "object"}},
              {"type": "function", "function": {"name": "nested", "parameters": {"type": "object"}}}],
}  # fmt: skip
