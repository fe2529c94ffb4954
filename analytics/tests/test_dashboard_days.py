"""Local days built from hours of UTC."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.dashboard.days import DAY, HOUR, Days, local_day, local_hour

ZONES = ("Europe/Helsinki", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu", "UTC")
zones = st.sampled_from(ZONES)
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))


@given(days, zones)
def test_a_local_day_is_a_day_of_utc_with_hours_added_and_subtracted(day: date, zone: str) -> None:
    plan = local_day(day, zone)
    hours = {plan.utc_day + n * HOUR for n in range(24)} - set(plan.subtracted) | set(plan.added)
    start, end = Days(day, day).hours(zone)
    assert hours == {start + n * HOUR for n in range((end - start) // HOUR)}
    assert {local_hour(hour, ZoneInfo(zone))[0] for hour in hours} == {day}


@given(days, zones)
def test_each_hour_belongs_to_one_day(day: date, zone: str) -> None:
    assert Days(day, day).hours(zone)[1] == Days(day + DAY, day + DAY).hours(zone)[0]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-25", 24)])
def test_a_day_on_which_clocks_change_has_its_hours(day: str, hours: int) -> None:
    start, end = Days(date.fromisoformat(day), date.fromisoformat(day)).hours("Europe/Helsinki")
    assert (end - start) // HOUR == hours
    assert start.astimezone(ZoneInfo("Europe/Helsinki")).hour == 0


def test_in_a_zone_off_by_half_an_hour_a_day_starts_with_the_next_hour() -> None:
    start, _end = Days(date(2026, 5, 1), date(2026, 5, 1)).hours("Asia/Kolkata")
    assert start == datetime(2026, 4, 30, 19, tzinfo=UTC)
    assert start.astimezone(ZoneInfo("Asia/Kolkata")) - start.astimezone(ZoneInfo("Asia/Kolkata")).replace(
        hour=0, minute=0
    ) == timedelta(minutes=30)
