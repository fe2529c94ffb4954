"""Parsing of the dashboard's query."""

from datetime import UTC, date, datetime

import pytest

from analytics.dashboard.filters import MOST_DAYS, DashboardFilter, parse
from orders.models import Kitchen

# 0:30 of Thursday in Helsinki, 17:30 of Wednesday in New York.
NOW = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
HELSINKI = Kitchen(slug="harju", name="Harju", time_zone="Europe/Helsinki")
NEW_YORK = Kitchen(slug="queens", name="Queens", time_zone="America/New_York")


def parsed(*kitchens: Kitchen, **query: str) -> DashboardFilter:
    return parse(query, kitchens or (HELSINKI,), NOW, sees_all=True)


@pytest.mark.parametrize(
    ("range_", "first", "last"),
    [
        ("", "2026-11-26", "2026-11-26"),
        ("today", "2026-11-26", "2026-11-26"),
        ("yesterday", "2026-11-25", "2026-11-25"),
        ("7", "2026-11-20", "2026-11-26"),
        ("28", "2026-10-30", "2026-11-26"),
        ("90", "2026-08-29", "2026-11-26"),
    ],
)
def test_ranges_end_on_the_kitchens_own_day(range_: str, first: str, last: str) -> None:
    filters = parsed(range=range_)
    assert (filters.days.first.isoformat(), filters.days.last.isoformat()) == (first, last)
    assert filters.errors == ()


@pytest.mark.parametrize("range_", ["30", "nonsense", "%", "x" * 500])
def test_an_unknown_range_is_an_error_and_shows_today(range_: str) -> None:
    filters = parsed(range=range_)
    assert (filters.range, len(filters.days), filters.days.last) == ("today", 1, date(2026, 11, 26))
    (error,) = filters.errors
    assert f"“{range_[:40]}”" in error


def test_today_is_where_the_day_started_first() -> None:
    assert parsed(NEW_YORK).today == date(2026, 11, 25)
    assert parsed(NEW_YORK, HELSINKI).today == date(2026, 11, 26)


def test_a_custom_range_includes_both_days() -> None:
    filters = parsed(**{"from": "2026-10-20", "to": "2026-10-26"})
    assert (filters.range, len(filters.days)) == ("custom", 7)


def test_entered_days_win_over_the_range_of_the_form() -> None:
    assert parsed(range="today", **{"from": "2026-11-26", "to": "2026-11-26"}).range == "today"
    filters = parsed(range="today", **{"from": "2026-11-01", "to": "2026-11-26"})
    assert (filters.range, len(filters.days)) == ("custom", 26)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "0001-01-01"},
        {"from": "9999-12-31T", "to": "2026-11-26"},
        {"from": "2026-11-20", "to": "2026-11-10"},
        {"kitchen": "nowhere"},
        {"range": "custom", "from": "\x00"},
    ],
)
def test_wrong_values_are_errors_and_show_today(query: dict[str, str]) -> None:
    filters = parsed(**query)
    assert len(filters.errors) == 1
    assert (filters.days.first, filters.days.last) == (date(2026, 11, 26), date(2026, 11, 26))
    assert filters.kitchens == (HELSINKI,)


def test_a_range_that_is_too_long_is_cut_with_an_error() -> None:
    filters = parsed(**{"from": "2020-01-01", "to": "2026-11-26"})
    assert len(filters.days) == MOST_DAYS
    assert len(filters.errors) == 1


def test_future_days_are_left_out() -> None:
    filters = parsed(**{"from": "2026-11-20", "to": "2030-01-01"})
    assert filters.days.last == date(2026, 11, 26)


@pytest.mark.parametrize(("range_", "weeks"), [("7", 1), ("28", 4), ("90", 13)])
def test_it_is_compared_with_the_same_weekdays_without_overlap(range_: str, weeks: int) -> None:
    filters = parsed(range=range_)
    before = filters.days.back(7 * filters.weeks)
    assert filters.weeks == weeks
    assert before.last < filters.days.first
    assert [day.weekday() for day in before] == [day.weekday() for day in filters.days]
