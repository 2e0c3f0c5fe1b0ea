"""The spool: kept before the answer, replayed once the database is back, never removed before it is stored."""

import errno
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from monitoring.core.frames import Frames, frame
from monitoring.core.merging import rank_of
from monitoring.core.records import CallRecord, read_record
from monitoring.models import Call, CallCorrection
from monitoring.services import replaying
from monitoring.services.checking import find_differences
from monitoring.services.replaying import replay
from monitoring.services.spool import MOST_IN_SEGMENT, Spool, SpoolRefused, read_kept, write_kept
from monitoring.tasks import replay_spool

pytestmark = pytest.mark.django_db
AT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
RICH = {
    "id": "rich", "sequence": 3, "event": "end", "started_at": "2026-10-31T23:30:00.123456+02:00", "duration_s": 61.5,
    "caller": "+33612345678", "sentiment": "Positive", "cost": "0.1200", "currency": "EUR", "error": "tool “x”",
    "analysis": {"none": None, "deep": [1, {"ü": 1.5}]}, "evaluation": None,
    "transcript": [{"role": "user", "text": "Hi", "at_s": 0.1}, {"role": "tool", "tool": "t", "data": {"a": None}}],
}  # fmt: skip


def kept(*documents: dict[str, Any], received_at: datetime = AT) -> bytes:
    return write_kept([read_record(document) for document in documents], source="api", received_at=received_at)


def test_a_record_is_read_back_as_the_same_record() -> None:
    for document in (RICH, {"id": "plain"}, {"id": "score", "sentiment": 0.25, "version": 0}):
        record = read_record(document)
        found = read_kept(write_kept([record], source="vapi", received_at=AT))
        again = read_record(found.documents[0])
        assert (again, rank_of(again)) == (record, rank_of(record))
        assert (found.source, found.received_at) == ("vapi", AT)


def test_what_waits_is_taken_in_once_with_the_time_it_came(spool: Spool) -> None:
    spool.append(kept({"id": "a"}, {"id": "b", "duration_s": 5}))
    spool.append(kept({"id": "a", "ended_reason": "done"}, received_at=datetime.now(UTC)))
    assert (spool.has_waiting, len(spool.segments())) == (True, 1)
    assert replay() == 3
    assert (spool.has_waiting, spool.size) == (False, 0)
    call = Call.objects.get(sender_id="a")
    assert (call.received_at, call.started_at, call.ended_reason) == (AT, AT, "done")
    assert replay() == 0
    assert find_differences() == []


def test_records_of_several_senders_keep_their_sender_and_their_time(spool: Spool) -> None:
    expected = {}
    for index in range(9):
        at, source = AT + timedelta(minutes=index), ("api", "vapi", "vapi")[index % 3]
        spool.append(write_kept([read_record({"id": f"call-{index}"})], source=source, received_at=at))
        expected[f"call-{index}"] = (source, at)
    assert replay() == 9
    found = Call.objects.values_list("sender_id", "source", "received_at")
    assert {sender_id: (source, at) for sender_id, source, at in found} == expected


def test_a_replay_that_was_killed_halfway_begins_again_and_changes_nothing(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(5):
        spool.append(kept({**RICH, "id": f"call-{index}"}))
    killed = iter([False, False, True])
    real = replaying.ingest

    def ingest(records: list[CallRecord], **more: Any) -> int:
        if next(killed, False):
            raise KeyboardInterrupt
        return real(records, **more)

    monkeypatch.setattr(replaying, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(replaying, "ingest", ingest)
    with pytest.raises(KeyboardInterrupt):
        replay()
    assert (Call.objects.count(), len(spool.segments())) == (2, 1)
    assert replay() == 5
    assert (Call.objects.count(), CallCorrection.objects.count()) == (5, 0)
    assert find_differences() == []


def test_a_bad_record_is_set_aside_and_takes_none_along(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = replaying.ingest

    def ingest(records: list[CallRecord], **more: Any) -> int:
        if any(record.id == "poison" for record in records):
            with transaction.atomic():
                raise ValueError("PostgreSQL would not have it.")
        return real(records, **more)

    monkeypatch.setattr(replaying, "ingest", ingest)
    head = {"source": "api", "received_at": AT.isoformat()}
    spool.append(kept({"id": "a"}, {"id": "poison", "summary": "s"}, {"id": "b"}))
    spool.append(json.dumps({**head, "records": [{"id": "c"}, {"id": "d", "colour": 1}]}).encode())
    spool.append(b"no JSON at all")
    spool.append(kept({"id": "e"}))
    replay()
    assert set(Call.objects.values_list("sender_id", flat=True)) == {"a", "b", "c", "e"}
    assert not spool.has_waiting
    aside = [payload for path in sorted(spool.folder.glob("*.aside")) for payload in Frames(path.read_bytes())]
    assert json.loads(aside[0])["records"] == [{"id": "d", "colour": 1}]
    assert aside[1] == b"no JSON at all"
    assert json.loads(aside[2])["records"] == [{"id": "poison", "summary": "s"}]
    assert caplog.text.count("were set aside") == 3
    assert spool.facts()["calls_set_aside_bytes"] == spool.size > 0


def test_a_damaged_segment_is_set_aside_whole_after_what_is_sound_in_it(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b", "c"):
        spool.append(kept({"id": name}))
    path = spool.segments()[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"b"', b'"x"'))
    replay()
    assert set(Call.objects.values_list("sender_id", flat=True)) == {"a", "c"}
    assert (spool.has_waiting, len(list(spool.folder.glob("*.aside")))) == (False, 1)
    assert "damaged" in caplog.text


def test_a_frame_that_was_cut_short_was_never_acknowledged_and_is_forgotten(spool: Spool) -> None:
    spool.append(kept({"id": "a"}))
    with spool.segments()[0].open("ab") as file:
        file.write(frame(kept({"id": "b"}))[:-1])
    replay()
    assert [call.sender_id for call in Call.objects.all()] == ["a"]
    assert spool.size == 0


def test_a_full_spool_refuses_and_loses_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "small", limit=3_000)
    payload = kept({"id": "a", "summary": "x" * 1_000})
    spool.append(payload)
    spool.append(payload)
    with pytest.raises(SpoolRefused, match="full"):
        spool.append(payload)
    with spool.taken(spool.segments()[0]) as frames:
        assert frames is not None
        assert list(frames) == [payload, payload]


def test_after_a_write_that_failed_halfway_nothing_follows_it_in_that_file(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(kept({"id": "a"}))
    real, writes = os.write, iter([20, None])

    def write(file: int, data: Any) -> int:
        size = next(writes)
        if size is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:size])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        with pytest.raises(SpoolRefused, match="written"):
            spool.append(kept({"id": "lost"}))
    spool.append(kept({"id": "b"}))
    assert len(spool.segments()) == 2
    replay()
    assert set(Call.objects.values_list("sender_id", flat=True)) == {"a", "b"}
    assert spool.size == 0


def test_the_file_and_its_folder_are_on_the_disk_before_the_answer(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(file: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
        synced.append("folder" if is_folder else f"file of {os.fstat(file).st_size}")
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    payload = kept({"id": "a"})
    size = len(frame(payload))
    spool.append(payload)
    spool.append(payload)
    assert synced == ["folder", "folder", f"file of {size}", f"file of {2 * size}"]
    assert oct(spool.segments()[0].stat().st_mode & 0o777) == "0o600"
    assert oct(spool.folder.stat().st_mode & 0o777) == "0o700"


def test_a_long_segment_is_followed_by_another(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_IN_SEGMENT > 500_000
    monkeypatch.setattr("monitoring.services.spool.MOST_IN_SEGMENT", 500)
    for index in range(12):
        spool.append(kept({"id": f"call-{index}"}))
    assert 1 < len(spool.segments()) < 12
    assert replay() == 12


def test_appending_and_replaying_at_once_loses_nothing(tmp_path: Path) -> None:
    """Two writers and two readers with objects of their own, as in four processes: each payload is read once."""
    folder, found, over = tmp_path / "busy", [], threading.Event()

    def write(writer: int) -> None:
        spool = Spool(folder, limit=2**30)
        for index in range(150):
            spool.append(f"{writer}:{index}".encode())

    def read() -> None:
        spool = Spool(folder, limit=2**30)
        while not over.is_set() or spool.has_waiting:
            for path in spool.segments():
                with spool.taken(path) as frames:
                    if frames is not None:
                        found.extend(frames)
                        spool.remove(path)

    writers = [threading.Thread(target=write, args=[number]) for number in range(2)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join(60)
    over.set()
    for thread in readers:
        thread.join(60)
    assert sorted(found) == sorted(f"{writer}:{index}".encode() for writer in range(2) for index in range(150))


def test_a_segment_that_another_replay_has_is_left_to_it(spool: Spool) -> None:
    spool.append(kept({"id": "a"}))
    other = Spool(spool.folder, limit=2**30)
    with other.taken(spool.segments()[0]) as frames:
        assert frames is not None
        assert replay() == 0
        spool.append(kept({"id": "b"}))  # beside it, in another segment
        assert len(spool.segments()) == 2
    assert replay() == 2


def test_a_replay_with_little_time_does_a_part_and_a_task_asks_for_the_rest(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.services.spool.MOST_IN_SEGMENT", 100)
    for index in range(5):
        spool.append(kept({"id": f"call-{index}"}))
    monkeypatch.setattr("monitoring.tasks.SECONDS_OF_REPLAY", 0)
    for left in (4, 3):
        replay_spool(timestamp=0)
        assert len(spool.segments()) == left
        assert ProcrastinateJob.objects.filter(task_name="monitoring.replay_spool", status="todo").count() == 1
    assert replay() == 3
    ProcrastinateJob.objects.all().delete()
    replay_spool(timestamp=0)
    assert not ProcrastinateJob.objects.exists()
