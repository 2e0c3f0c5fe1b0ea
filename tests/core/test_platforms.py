"""Voice platforms' events become call records; in any order, of any odd shape."""

import itertools
from typing import Any
from urllib.parse import urlencode

import pytest

from monitoring.core.merging import EMPTY, CallState, is_over, merge, times_of
from monitoring.core.platforms import PLATFORMS, Delivery, read_fitting
from monitoring.core.records import EARLIEST
from tests.core import platform_payloads as payloads
from tests.core.platform_payloads import CALLED, CALLER, ENDED, STARTED, TOKEN, as_body

TURNS = [("agent", None), ("user", None), ("agent", "slots"), ("tool", "slots")]


def records(name: str, body: bytes, **query: str) -> list[dict[str, Any]]:
    return PLATFORMS[name].read(Delivery({}, body, query=query))


def state_of(name: str, bodies: list[bytes], **query: str) -> CallState:
    state = EMPTY
    for body in bodies:
        for document in records(name, body, **query):
            record, left_out = read_fitting(document)
            assert left_out == ""
            state, _ = merge(state, record)
    return state


@pytest.mark.parametrize("name", PLATFORMS)
def test_events_in_any_order_and_repeated_end_in_the_same_state(name: str) -> None:
    bodies = payloads.ALL[name]()
    wanted = state_of(name, bodies, resolution=TOKEN)
    assert wanted.fields["resolution"] == TOKEN
    assert is_over(wanted)
    for order in itertools.permutations(bodies):
        assert state_of(name, [*order, *bodies[:2]], resolution=TOKEN) == wanted


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_events_of_one_call_contradict_one_another_nowhere(name: str) -> None:
    state = EMPTY
    for body in payloads.ALL[name]():
        for document in records(name, body):
            state, replaced = merge(state, read_fitting(document)[0])
            assert replaced == []


def test_a_call_of_vapi_is_known_whole() -> None:
    fields = state_of("vapi", payloads.vapi()).fields
    assert (fields["started_at"].isoformat(), fields["ended_at"].isoformat()) == (STARTED, ENDED)
    assert (fields["caller"], fields["called"], fields["direction"]) == (CALLER, CALLED, "inbound")
    assert (fields["ended_reason"], fields["transferred"], fields["error"]) == ("customer-ended-call", False, False)
    assert (fields["evaluation"], fields["engaged"], fields["latency_ms"]) == ("success", True, 912.5)
    assert (str(fields["cost"]), fields["currency"]) == ("0.119300", "USD")
    assert fields["analysis"] == {"booked": True, "day": "2025-11-21", "intent": "booking"}
    assert fields["summary"] == "The caller booked an appointment."
    assert fields["recording"] == "https://storage.vapi.ai/call-combined.wav"
    assert [(turn.role, turn.tool) for turn in fields["transcript"]] == [*TURNS, ("agent", None)]
    assert (fields["transcript"][2].data, fields["transcript"][3].data) == ({"day": "2025-11-21"}, ["10:00"])
    assert fields["transcript"][1].at_s == 3.2


def test_a_call_of_retell_is_known_whole() -> None:
    fields = state_of("retell", payloads.retell()).fields
    assert (fields["started_at"].isoformat(), fields["ended_at"].isoformat()) == (STARTED, ENDED)
    assert (fields["caller"], fields["called"], fields["direction"]) == (CALLER, CALLED, "inbound")
    assert (fields["ended_reason"], fields["transferred"], fields["error"]) == ("user_hangup", False, False)
    assert (fields["evaluation"], fields["sentiment"], fields["engaged"]) == ("success", "positive", True)
    assert (str(fields["cost"]), fields["currency"], fields["latency_ms"]) == ("0.125000", "USD", 800.0)
    assert fields["analysis"] == {"booked": True, "in_voicemail": False}
    assert fields["recording"] == "https://retell.example.com/recording.wav"
    assert [(turn.role, turn.tool) for turn in fields["transcript"]] == [*TURNS, ("user", None)]
    assert (fields["transcript"][3].data, fields["transcript"][4].text) == (["10:00"], "[key 5]")


def test_a_call_of_elevenlabs_is_known_whole() -> None:
    state = state_of("elevenlabs", payloads.elevenlabs())
    fields, times = state.fields, times_of(state, EARLIEST)
    assert times.started_at.isoformat() == "2025-11-20T12:02:44+00:00"
    assert times.ended_at is not None
    assert times.ended_at.isoformat() == "2025-11-20T12:05:09+00:00"
    assert (fields["caller"], fields["called"], fields["direction"]) == (CALLER, CALLED, "inbound")
    assert (fields["ended_reason"], fields["transferred"]) == ("end_call tool was called.", False)
    assert (fields["evaluation"], fields["engaged"], fields["error"]) == ("success", True, False)
    assert fields["analysis"] == {"booked": True, "criteria": {"polite": "success"}, "credits": 296}
    assert "cost" not in fields
    assert [(turn.role, turn.tool) for turn in fields["transcript"]] == TURNS


def test_a_call_of_twilio_is_known_whole() -> None:
    state = state_of("twilio", payloads.twilio(), resolution=TOKEN)
    fields = state.fields
    assert (fields["started_at"].isoformat(), fields["duration_s"]) == ("2025-11-20T12:02:44+00:00", 145.0)
    assert fields["ended_at"].isoformat() == "2025-11-20T12:05:09+00:00"
    assert (fields["caller"], fields["called"], fields["direction"]) == (CALLER, CALLED, "inbound")
    assert (fields["ended_reason"], fields["error"], fields["resolution"]) == ("completed", False, TOKEN)
    assert (fields["recording"], state.ranks["ended_reason"][0]) == ("https://api.twilio.com/Recordings/RE1", 3)


def twilio(status: str, **form: str) -> dict[str, Any]:
    return records("twilio", urlencode(payloads.twilio_form(status, **form)).encode())[0]


def test_outbound_calls_have_our_number_as_called_everywhere() -> None:
    found = [
        records("vapi", as_body(payloads.vapi_report(call=payloads.vapi_call(type="outboundPhoneCall"))))[0],
        records(
            "retell",
            as_body(
                {
                    "event": "call_ended",
                    "call": payloads.retell_ended(direction="outbound", from_number=CALLED, to_number=CALLER),
                }
            ),
        )[0],
        twilio("completed", Direction="outbound-api", From=CALLED, To=CALLER),
    ]
    for document in found:
        assert (document["direction"], document["caller"], document["called"]) == ("outbound", CALLER, CALLED)


@pytest.mark.parametrize(
    ("name", "body", "ended_reason", "is_transferred", "error"),
    [
        ("vapi", payloads.vapi_report(endedReason="assistant-forwarded-call"), "assistant-forwarded-call", True, False),
        (
            "vapi",
            payloads.vapi_report(endedReason="call.in-progress.error-vapifault-worker-died"),
            "call.in-progress.error-vapifault-worker-died",
            False,
            "call.in-progress.error-vapifault-worker-died",
        ),
        (
            "retell",
            {"event": "call_ended", "call": payloads.retell_ended(disconnection_reason="call_transfer")},
            "call_transfer",
            True,
            False,
        ),
        (
            "retell",
            {"event": "call_ended", "call": payloads.retell_ended(disconnection_reason="error_asr")},
            "error_asr",
            False,
            "error_asr",
        ),
        (
            "elevenlabs",
            payloads.elevenlabs_transcription(
                status="failed", metadata={"error": {"code": 1011, "reason": "LLM down"}, "termination_reason": "error"}
            ),
            "error",
            False,
            "1011: LLM down",
        ),
        (
            "elevenlabs",
            payloads.elevenlabs_transcription(
                transcript=[{"role": "agent", "tool_results": [{"tool_name": "transfer_to_number", "is_error": False}]}]
            ),
            "end_call tool was called.",
            True,
            False,
        ),
    ],
)
def test_transfers_and_failures_are_told_apart(
    name: str, body: Any, ended_reason: str, is_transferred: bool, error: str | bool
) -> None:
    document = records(name, as_body(body))[0]
    assert (document["ended_reason"], document["transferred"]) == (ended_reason, is_transferred)
    assert document["error"] == error
    assert read_fitting(document)[1] == ""


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_twilio_could_not_connect_is_over_and_nobody_was_engaged(status: str) -> None:
    document = twilio(status, SipResponseCode="404")
    assert (document["ended_reason"], document["engaged"], document["duration_s"]) == (status, False, 0.0)
    assert document["error"] == ("failed (SIP 404)" if status == "failed" else False)


def test_a_conversation_that_elevenlabs_could_not_begin_is_a_call_that_ended() -> None:
    body = {
        "type": "call_initiation_failure",
        "data": {
            "conversation_id": "conv_1",
            "failure_reason": "busy",
            "metadata": {"type": "twilio", "body": {"From": CALLED, "To": CALLER, "CallSid": "CA1"}},
        },
    }
    document = records("elevenlabs", as_body(body))[0]
    assert (document["ended_reason"], document["engaged"], document["called"]) == ("busy", False, CALLED)


@pytest.mark.parametrize(
    ("verdict", "evaluation", "kept"),
    [(False, "fail", None), ("Pass", "success", None), ("8", None, "8"), ("Excellent", None, "Excellent")],
)
def test_vapis_verdict_by_another_rubric_is_kept_as_analysis(
    verdict: object, evaluation: str | None, kept: str | None
) -> None:
    document = records("vapi", as_body(payloads.vapi_report(analysis={"successEvaluation": verdict})))[0]
    assert document.get("evaluation") == evaluation
    assert document["analysis"].get("success_evaluation") == kept


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("vapi", {"message": {"type": "transcript", "call": {"id": "c"}}}),
        ("vapi", {"message": {"type": "status-update", "status": "ringing", "call": {"id": "c"}}}),
        ("vapi", {"message": {"type": "end-of-call-report"}}),
        ("vapi", []),
        ("retell", {"event": "transcript_updated", "call": {"call_id": "c"}}),
        ("retell", {"event": "call_ended", "call": {}}),
        ("retell", "text"),
        ("elevenlabs", {"type": "post_call_audio", "data": {"conversation_id": "c", "full_audio": ""}}),
        ("elevenlabs", {"type": ["post_call_transcription"], "data": None}),
    ],
)
def test_what_says_nothing_about_a_whole_call_is_no_record(name: str, body: Any) -> None:
    assert records(name, as_body(body)) == []


def test_the_legs_that_a_call_dials_are_no_calls() -> None:
    body = b"CallSid=CA2&ParentCallSid=CA1&CallStatus=completed"
    assert records("twilio", body) == []


def test_a_wrong_field_is_left_out_with_words_and_the_rest_is_kept() -> None:
    document = {"id": "a", "ended_reason": "done", "recording": "ftp://x", "duration_s": -1, "started_at": STARTED}
    record, words = read_fitting(document)
    assert (record.ended_reason, record.recording, record.duration_s) == ("done", None, None)
    assert "“recording”" in words
    assert "“duration_s”" in words
    backwards, words = read_fitting({"id": "a", "started_at": ENDED, "ended_at": STARTED, "status": "ended"})
    assert (backwards.ended_at, backwards.status) == (None, "ended")
    assert "before" in words


def test_characters_that_cannot_be_stored_are_replaced_and_broken_json_is_refused() -> None:
    body = as_body(payloads.vapi_report(endedReason="a\x00b\ud800c"))
    assert records("vapi", body)[0]["ended_reason"] == "a\ufffdb\ufffdc"
    for broken in (b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ValueError, match="JSON"):
            records("retell", broken)
