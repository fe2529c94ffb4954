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
moments = st.integers(0, 60 * 24 * 150).map(lambda minutes: FIRST + timedelta(minutes=minutes))


def holds(piece: PeriodRange, hour: datetime) -> bool:
    start = start_of(piece.grain, hour)
    return (piece.start is None or start >= piece.start) and (piece.end is None or start < piece.end)


@given(st.none() | moments, st.none() | moments, moments)
def test_each_hour_of_a_range_is_in_one_piece_and_no_other_hour_is(
    since: datetime | None, until: datetime | None, at: datetime
) -> None:
    hour = start_of(Granularity.HOUR, at)
    inside = (since is None or hour >= hour_from(since)) and (until is None or hour < hour_to(until))
    assert sum(holds(piece, hour) for piece in period_ranges(since, until)) == inside


def test_all_time_is_one_span() -> None:
    assert period_ranges(None, None) == [(Granularity.ALL, None, None)]
    assert start_of(Granularity.ALL, FIRST) == BEGINNING


def test_a_year_reads_few_spans() -> None:
    since = datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    found = period_ranges(since, since + timedelta(days=366))
    length = {
        Granularity.HOUR: timedelta(hours=1),
        Granularity.DAY: timedelta(days=1),
        Granularity.MONTH: timedelta(days=28),
    }
    spans = sum(
        (piece.end - piece.start) / length[piece.grain] for piece in found if piece.start and piece.end
    )
    assert spans < 24 + 31 + 14


@pytest.mark.parametrize(
    "grain, start",
    [
        (Granularity.HOUR, "2026-02-28T23:00"),
        (Granularity.DAY, "2026-02-28T00:00"),
        (Granularity.MONTH, "2026-02-01T00:00"),
    ],
)
def test_spans_begin_where_the_clock_of_utc_says(grain: Granularity, start: str) -> None:
    assert start_of(grain, datetime(2026, 2, 28, 23, 59, 59, 7, tzinfo=UTC)) == datetime.fromisoformat(
        start + "Z"
    )
