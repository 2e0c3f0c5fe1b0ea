"""Frames of the spool: whatever is cut or flipped, every other frame is found, and damage is told from a kill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.frames import MARK, OVERHEAD, Frames, frame

PAYLOADS = [b'{"id": "a"}', "{“id”: “b”}".encode(), b"", b"x" * 300]
DATA = b"".join(frame(payload) for payload in PAYLOADS)
ENDS = [sum(OVERHEAD + len(payload) for payload in PAYLOADS[: count + 1]) for count in range(len(PAYLOADS))]


def read(data: bytes) -> tuple[list[bytes], bool]:
    frames = Frames(data)
    return list(frames), frames.is_damaged


@given(payloads=st.lists(st.text().map(str.encode), max_size=6))
def test_every_payload_comes_back_in_its_order(payloads: list[bytes]) -> None:
    assert read(b"".join(map(frame, payloads))) == (payloads, False)


def test_a_file_cut_at_any_byte_gives_all_frames_before_the_cut_and_counts_as_whole() -> None:
    for cut in range(len(DATA) + 1):
        whole = [payload for payload, end in zip(PAYLOADS, ENDS, strict=True) if end <= cut]
        assert read(DATA[:cut]) == (whole, False), cut


def test_any_flipped_bit_costs_one_frame_at_most_and_is_told() -> None:
    for at in range(len(DATA)):
        struck = next(index for index, end in enumerate(ENDS) if at < end)
        for bit in range(8):
            data = bytearray(DATA)
            data[at] ^= 1 << bit
            found, is_damaged = read(bytes(data))
            assert found == [payload for index, payload in enumerate(PAYLOADS) if index != struck], (at, bit)
            assert is_damaged, (at, bit)


@pytest.mark.parametrize("rubbish", [b"\0" * 64, MARK, MARK + b"\0" * 40, b"x"])
def test_rubbish_between_two_frames_hides_neither(rubbish: bytes) -> None:
    assert read(frame(b"a") + rubbish + frame(b"b")) == ([b"a", b"b"], True)


def test_rubbish_at_the_end_is_told_apart_from_a_frame_that_was_cut_short() -> None:
    assert read(frame(b"a") + b"\0" * 64) == ([b"a"], True)
    assert read(frame(b"a") + frame(b"b")[:-1]) == ([b"a"], False)
