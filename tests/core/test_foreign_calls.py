"""Files of calls as others write them."""

import io
import json
from pathlib import Path

import pytest

from monitoring.core.foreign import read_file
from monitoring.core.records import read_record


def test_the_corpus_is_read_whole(corpus: Path) -> None:
    counts = {}
    for path in sorted((corpus / "calls").iterdir()):
        found = list(read_file(path.name, io.BytesIO(path.read_bytes()), time_zone="UTC"))
        records = [read_record(each.document) for each in found]
        counts[path.name] = (len(records), sum(record.evaluation == "success" for record in records))
    assert counts["ckm-telecom-calls.json"] == counts["ckm-telecom-calls.csv"] == (851, 611)
    assert counts["tau2-simulated-calls-dev.csv"][0] == 469
    assert counts["tau2-calls-airline-gpt-4.1.json"][0] == 20


def test_lines_that_cannot_be_read_are_named() -> None:
    data = b'{"id": "a"}\n\n{"id": \n[1]\n'
    found = list(read_file("calls.ndjson", io.BytesIO(data), time_zone="UTC"))
    assert [(each.place, each.document) for each in found] == [(1, {"id": "a"}), (3, None), (4, None)]


def test_columns_that_we_do_not_know_are_kept_as_analysis() -> None:
    data = b"call_id,StartTime,agent_cost,satisfied,topic,engaged\nx,2026-07-01 09:00:00,0.1,No,Bills,yes\n"
    (found,) = read_file("calls.csv", io.BytesIO(data), time_zone="Europe/Paris")
    assert found.document == {
        "id": "x",
        "started_at": "2026-07-01T09:00:00+02:00",
        "cost": "0.100000",
        "currency": "USD",
        "evaluation": "fail",
        "engaged": True,
        "analysis": {"satisfied": "No", "topic": "Bills"},
    }


@pytest.mark.parametrize(("name", "data"), [("a.json", b"{"), ("a.json", b"\xff\xfe"), ("a.csv", b"\xff")])
def test_a_file_that_is_none_is_refused_with_a_sentence(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a\."):
        list(read_file(name, io.BytesIO(data), time_zone="UTC"))


def test_messages_become_turns_with_their_tool_calls() -> None:
    messages = [{"role": "assistant", "content": "Hi", "tool_calls": [{"name": "look_up", "arguments": {"id": 1}}]}]
    data = json.dumps({"simulations": [{"id": "s", "messages": messages, "reward_info": {"reward": 1.0}}]}).encode()
    (found,) = read_file("result.json", io.BytesIO(data), time_zone="UTC")
    assert found.document is not None
    assert found.document["transcript"] == [
        {"role": "assistant", "text": "Hi"},
        {"role": "assistant", "tool": "look_up", "data": {"id": 1}},
    ]
    assert found.document["evaluation"] == "success"
