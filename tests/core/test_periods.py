"""The reader's days as moments, and how a period is made of months, days and what is left over."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.periods import Grain, Spans, period_of, spans_of

PARIS, KOLKATA = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kolkata")
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


def test_days_are_the_readers_also_when_clocks_change() -> None:
    period = period_of(date(2026, 3, 28), date(2026, 3, 30), PARIS)
    lengths = [
        (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600
        for start, end in zip(period.boundaries, period.boundaries[1:], strict=False)
    ]
    assert (lengths, period.grain, period.cut_hours) == ([24, 23, 24], Grain.DAY, [])


def test_hours_of_a_day_with_a_change_of_clocks() -> None:
    period = period_of(date(2026, 10, 25), date(2026, 10, 25), PARIS, by_hour=True)
    assert len(period.boundaries) == 26
    assert len({moment.astimezone(UTC) for moment in period.boundaries}) == 26


def test_midnight_cuts_an_hour_where_zones_have_half_hours() -> None:
    period = period_of(date(2026, 5, 1), date(2026, 5, 2), KOLKATA)
    assert [moment.isoformat() for moment in period.cut_hours] == [
        "2026-04-30T18:00:00+00:00",
        "2026-05-01T18:00:00+00:00",
        "2026-05-02T18:00:00+00:00",
    ]


def test_long_periods_have_long_slots() -> None:
    week = period_of(date(2025, 11, 22), date(2026, 11, 21), PARIS)
    assert (week.grain, week.boundaries[1].date()) == (Grain.WEEK, date(2025, 11, 24))
    month = period_of(date(2016, 11, 22), date(2026, 11, 21), PARIS)
    assert (month.grain, len(month.boundaries)) == (Grain.MONTH, 122)


@given(MOMENTS, MOMENTS, MOMENTS, st.booleans(), MOMENTS)
def test_every_moment_counts_once_if_it_is_in_the_period_and_never_if_not(
    one: datetime, other: datetime, now: datetime, months: bool, moment: datetime
) -> None:
    since, until = min(one, other), max(one, other)
    spans = spans_of(since, until, now=now, months=months)
    assert _times_counted(spans, moment) == (1 if since <= moment < until else 0)
    assert months or not spans.months


def test_ninety_days_are_two_months_and_the_present_one_and_a_week() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    since = datetime(2026, 8, 24, tzinfo=PARIS)
    spans = spans_of(since, datetime(2026, 11, 22, tzinfo=PARIS), now=now)
    assert [str(month) for month in spans.months] == ["2026-09-01", "2026-10-01", "2026-11-01"]
    assert len(spans.days) == 8
    assert spans.plus == [(since.astimezone(UTC), datetime(2026, 8, 24, tzinfo=UTC))]


def _times_counted(spans: Spans, moment: datetime) -> int:
    day = moment.date()
    return (
        (day.replace(day=1) in spans.months)
        + (day in spans.days)
        + sum(start <= moment < end for start, end in spans.plus)
        - sum(start <= moment < end for start, end in spans.minus)
    )


def test_edges_are_at_most_half_a_day_of_what_is_over() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    for hour in range(24):
        since = datetime(2026, 11, 3, hour, tzinfo=UTC)
        spans = spans_of(since, now + timedelta(hours=3), now=now)
        past = [(start, min(end, now)) for start, end in [*spans.plus, *spans.minus] if start < now]
        assert sum((end - start for start, end in past), timedelta()) <= timedelta(hours=12)
