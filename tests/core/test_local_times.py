"""Moments as people type them, around the clock changes."""

from datetime import UTC, datetime

import pytest

from channels.core.local_times import NotAMoment, read_moment


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-12-24T18:00", "Europe/Paris", datetime(2026, 12, 24, 17, tzinfo=UTC)),
        ("2026-07-01T09:30", "Asia/Kolkata", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Paris", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # twice: the first
        (" 2026-12-24T18:00:05+02:00 ", "Europe/Paris", datetime(2026, 12, 24, 16, 0, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_its_zone(text: str, zone: str, utc: datetime) -> None:
    assert read_moment(text, zone).astimezone(UTC) == utc


def test_an_hour_that_the_clock_change_leaves_out_is_refused() -> None:
    with pytest.raises(NotAMoment, match=r"no 02:30 on that day in Europe/Paris"):
        read_moment("2026-03-29T02:30", "Europe/Paris")


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-30T10:00", "then\x00", "0001-01-01T00:00", "9999-12-31T23:00"]
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(NotAMoment, match=r"^Give "):
        read_moment(text, "Asia/Tokyo")
