from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.granularity import (
    BEGINNING,
    Granularity,
    PeriodRange,
    hour_from,
    hour_to,
    period_ranges,
    start_of,
)

FIRST = datetime(2025, 11, 20, tzinfo=UTC)
times = st.integers(0, 60 * 24 * 150).map(lambda minutes: FIRST + timedelta(minutes=minutes))


def holds(periods: PeriodRange, hour: datetime) -> bool:
    start = start_of(periods.granularity, hour)
    return (periods.start is None or start >= periods.start) and (periods.end is None or start < periods.end)


@given(st.none() | times, st.none() | times, times)
def test_each_hour_of_a_range_is_covered_once_and_no_other_hour_is(
    since: datetime | None, until: datetime | None, at: datetime
) -> None:
    hour = start_of(Granularity.HOUR, at)
    inside = (since is None or hour >= hour_from(since)) and (until is None or hour < hour_to(until))
    assert sum(holds(periods, hour) for periods in period_ranges(since, until)) == inside


def test_all_time_is_one_period() -> None:
    assert period_ranges(None, None) == [(Granularity.ALL, None, None)]
    assert start_of(Granularity.ALL, FIRST) == BEGINNING


def test_a_year_reads_few_periods() -> None:
    since = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    ranges = period_ranges(since, since + timedelta(days=366))
    length = {
        Granularity.HOUR: timedelta(hours=1),
        Granularity.DAY: timedelta(days=1),
        Granularity.MONTH: timedelta(days=28),
    }
    periods = sum(
        (each.end - each.start) / length[each.granularity] for each in ranges if each.start and each.end
    )
    assert periods < 24 + 31 + 14


@pytest.mark.parametrize(
    "granularity, start",
    [
        (Granularity.HOUR, "2026-02-28T23:00"),
        (Granularity.DAY, "2026-02-28T00:00"),
        (Granularity.MONTH, "2026-02-01T00:00"),
    ],
)
def test_periods_start_by_the_clock_of_utc(granularity: Granularity, start: str) -> None:
    assert start_of(granularity, datetime(2026, 2, 28, 23, 59, 59, 7, tzinfo=UTC)) == datetime.fromisoformat(
        start + "Z"
    )
