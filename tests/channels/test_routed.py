"""Decisions of rollouts reach PostgreSQL once each, whatever is torn, full, away or shipped twice."""

import logging
import os
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from channels.models import Rollout, RoutedCall
from channels.runtime import routed
from channels.runtime.routed import RoutedSpool, read_line
from channels.runtime.routed_shipper import RoutedShipper

from .cuttable import cuttable
from .running_rollouts import make_rollout
from .runtime import database_url, eventually, running

HASH = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def spool(tmp_path: Path) -> RoutedSpool:
    return RoutedSpool(tmp_path / "routed", limit=2**20)


def note(spool: RoutedSpool, rollout: int, call_id: str, arm: str = "canary", caller: str | None = HASH) -> None:
    spool.note(rollout, call_id, caller, arm, 10_000, 77, "+33198765432", 1_800_000_000.25)


def notes_of(spool: RoutedSpool) -> list[str]:
    lines = [line for path in spool.segments() for line in path.read_bytes().splitlines()]
    return [found.call_id for found in map(read_line, lines) if found]


class TestFiles:
    def test_a_line_is_in_the_file_when_note_returns_and_reads_as_it_was_written(self, spool: RoutedSpool) -> None:
        note(spool, 7, 'a "quoted"\nline é')
        (path,) = spool.segments()
        (line,) = path.read_bytes().splitlines()
        assert read_line(line) == routed.Line(
            7, 'a "quoted"\nline é', HASH, "canary", 10_000, 77, "+33198765432", 1_800_000_000.25
        )
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("call_id", ["a\0b", "\ud800"])
    def test_a_call_id_that_no_database_takes_is_left_out(self, spool: RoutedSpool, call_id: str) -> None:
        note(spool, 7, call_id)
        note(spool, 7, "sound")
        assert notes_of(spool) == ["sound"]

    @pytest.mark.parametrize(
        "torn", [b"", b'[7, "c", "01', b"{}", b"[]", b"7", b'["7", "c", null, "canary", 1, 2, "x", 3.0]', b"\xff"]
    )
    def test_a_torn_line_is_skipped(self, torn: bytes) -> None:
        assert read_line(torn) is None

    def test_a_writer_keeps_its_segment_to_itself_until_its_turn(self, spool: RoutedSpool) -> None:
        note(spool, 7, "one")
        (path,) = spool.segments()
        with RoutedSpool(spool.folder, limit=2**20).taken(path) as lines:
            assert lines is None
        spool.turn()
        note(spool, 7, "two")
        with spool.taken(path) as lines:
            assert lines is not None
            assert len(lines) == 1
        assert notes_of(spool) == ["one", "two"]

    def test_when_much_waits_segments_are_filled_instead(
        self, spool: RoutedSpool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(routed, "MOST_WAITING", 3)
        for number in range(10):
            note(spool, 7, str(number))
            spool.turn()
        assert len(spool.segments()) == 3
        assert notes_of(spool) == [str(number) for number in range(10)]

    def test_a_full_folder_is_counted_and_said_once_and_takes_more_when_there_is_room(
        self, spool: RoutedSpool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(routed, "MOST_IN_SEGMENT", 2**18)
        monkeypatch.setattr(routed, "LOOK_AGAIN_AFTER", 0.0)
        with caplog.at_level(logging.ERROR):
            for number in range(12_000):
                note(spool, 7, f"call-{number}")
        kept = len(notes_of(spool))
        assert 7_000 < kept < 12_000
        assert spool.lost == 12_000 - kept
        assert spool.size < 2**20 + 2**18
        assert [record.getMessage()[:2] for record in caplog.records] == ["1 "]
        for path in spool.segments():
            path.unlink()
        note(spool, 7, "again")
        assert notes_of(spool) == ["again"]

    def test_a_folder_that_cannot_be_written_loses_the_line_and_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        spool = RoutedSpool(tmp_path / "file", limit=2**20)
        note(spool, 7, "one")
        assert spool.lost == 1

    def test_a_line_that_the_disk_cuts_short_has_nothing_behind_it(
        self, spool: RoutedSpool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(routed, "LOOK_AGAIN_AFTER", 0.0)
        note(spool, 7, "one")
        write = os.write
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
        note(spool, 7, "torn")
        monkeypatch.undo()
        monkeypatch.setattr(routed, "LOOK_AGAIN_AFTER", 0.0)
        spool._refused_until = 0.0
        note(spool, 7, "two")
        assert notes_of(spool) == ["one", "two"]
        assert spool.lost == 1


@pytest.mark.django_db(transaction=True)
class TestShipping:
    @pytest.fixture
    def rollout(self) -> Rollout:
        return make_rollout()

    def shipped(self) -> list[str]:
        return sorted(RoutedCall.objects.values_list("call_id", flat=True))

    def test_every_decision_arrives_once_and_the_files_are_gone(self, spool: RoutedSpool, rollout: Rollout) -> None:
        others = [RoutedSpool(spool.folder, limit=2**20) for _ in range(2)]
        shippers = [RoutedShipper(database_url(), each) for each in (spool, *others)]
        for each in shippers:
            each.start()
        for number in range(300):
            note((spool, *others)[number % 3], rollout.pk, f"call-{number % 200:03d}", caller=None)
        eventually(lambda: RoutedCall.objects.count() == 200 and not spool.segments(), 10)
        for each in shippers:
            each.stop()
        found = RoutedCall.objects.get(call_id="call-007")
        assert (found.arm, found.share, found.bucket, found.channel) == ("canary", 10_000, 77, "+33198765432")
        assert (found.caller_hash, found.at.timestamp()) == (None, 1_800_000_000.25)

    def test_the_hash_is_kept_as_bytes_and_the_first_decision_of_a_call_counts(
        self, spool: RoutedSpool, rollout: Rollout
    ) -> None:
        note(spool, rollout.pk, "call")
        spool.turn()
        note(spool, rollout.pk, "call", "stable")
        with running(spool.folder.with_name("store.sqlite3"), routed=spool):
            eventually(lambda: RoutedCall.objects.exists() and not spool.segments())
        found = RoutedCall.objects.get()
        assert (bytes(found.caller_hash or b"").hex(), found.arm) == (HASH, "canary")

    def test_torn_lines_and_unknown_rollouts_hold_nothing_back(
        self, spool: RoutedSpool, rollout: Rollout, caplog: pytest.LogCaptureFixture
    ) -> None:
        note(spool, rollout.pk, "one")
        note(spool, rollout.pk + 1000, "of a rollout that a restored backup does not have")
        spool.close()
        with spool.segments()[0].open("ab") as file:
            file.write(b'[12, "tor')
        with running(spool.folder.with_name("store.sqlite3"), routed=spool):
            eventually(lambda: not spool.segments())
        assert self.shipped() == ["one"]
        assert any("1 of 3 decisions" in record.getMessage() for record in caplog.records)

    def test_what_postgresql_refuses_is_put_aside_and_the_next_is_shipped(
        self, spool: RoutedSpool, rollout: Rollout
    ) -> None:
        note(spool, rollout.pk, "refused", caller=HASH * 2, arm="canary of a length that no column has")
        spool.close()
        note(spool, rollout.pk, "taken")
        with running(spool.folder.with_name("store.sqlite3"), routed=spool):
            eventually(lambda: self.shipped() == ["taken"] and not spool.segments())
        assert len(list(spool.folder.glob("*.aside"))) == 1

    def test_a_segment_that_was_shipped_but_not_removed_changes_nothing(
        self, spool: RoutedSpool, rollout: Rollout
    ) -> None:
        note(spool, rollout.pk, "one")
        spool.close()
        (path,) = spool.segments()
        before = path.read_bytes()
        with running(spool.folder.with_name("store.sqlite3"), routed=spool):
            eventually(lambda: not spool.segments())
            path.write_bytes(before)
            eventually(lambda: not spool.segments())
        assert self.shipped() == ["one"]

    @pytest.mark.parametrize("how", ["cut", "freeze"])
    def test_decisions_wait_while_postgresql_is_away(self, spool: RoutedSpool, rollout: Rollout, how: str) -> None:
        values = connection.settings_dict
        with cuttable(values["HOST"], int(values["PORT"])) as proxy:
            url = database_url().replace(f":{values['PORT']}/", f":{proxy.port}/")
            shipper = RoutedShipper(url, spool)
            shipper.start()
            note(spool, rollout.pk, "before")
            eventually(lambda: self.shipped() == ["before"])
            getattr(proxy, how)()
            note(spool, rollout.pk, "during")
            time.sleep(1.5)
            assert self.shipped() == ["before"]
            proxy.mend()
            eventually(lambda: self.shipped() == ["before", "during"], 10)
            shipper.stop()

    def test_the_application_cannot_change_what_was_decided(self, spool: RoutedSpool, rollout: Rollout) -> None:
        note(spool, rollout.pk, "one")
        with running(spool.folder.with_name("store.sqlite3"), routed=spool):
            eventually(RoutedCall.objects.exists)
        with psycopg.connect(database_url()) as own, pytest.raises(psycopg.Error):
            own.execute("UPDATE channels_routedcall SET arm = 'stable'")
