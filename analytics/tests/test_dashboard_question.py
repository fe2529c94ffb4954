"""What is read from the dashboard's query."""

from datetime import UTC, date, datetime

import pytest

from analytics.dashboard.filters import MOST_DAYS, DashboardFilter, parse
from orders.models import Kitchen

NOW = datetime(
    2026, 11, 25, 22, 30, tzinfo=UTC
)  # 0:30 of Thursday in Helsinki, 17:30 of Wednesday in New York
HELSINKI = Kitchen(slug="harju", name="Harju", time_zone="Europe/Helsinki")
NEW_YORK = Kitchen(slug="queens", name="Queens", time_zone="America/New_York")


def asked(*kitchens: Kitchen, **query: str) -> DashboardFilter:
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
    question = asked(range=range_)
    assert (question.days.first.isoformat(), question.days.last.isoformat()) == (first, last)
    assert question.errors == ()


@pytest.mark.parametrize("range_", ["30", "nonsense", "%", "x" * 500])
def test_a_range_that_is_none_is_said_and_today_is_shown(range_: str) -> None:
    question = asked(range=range_)
    assert (question.range, len(question.days), question.days.last) == ("today", 1, date(2026, 11, 26))
    (error,) = question.errors
    assert f"“{range_[:40]}”" in error


def test_today_is_where_the_day_began_first() -> None:
    assert asked(NEW_YORK).today == date(2026, 11, 25)
    assert asked(NEW_YORK, HELSINKI).today == date(2026, 11, 26)


def test_a_custom_range_includes_both_days() -> None:
    question = asked(**{"from": "2026-10-20", "to": "2026-10-26"})
    assert (question.range, len(question.days)) == ("custom", 7)


def test_days_that_were_typed_in_win_over_the_range_that_the_form_had() -> None:
    assert asked(range="today", **{"from": "2026-11-26", "to": "2026-11-26"}).range == "today"
    question = asked(range="today", **{"from": "2026-11-01", "to": "2026-11-26"})
    assert (question.range, len(question.days)) == ("custom", 26)


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
def test_what_can_t_be_read_is_said_and_today_is_shown(query: dict[str, str]) -> None:
    question = asked(**query)
    assert len(question.errors) == 1
    assert (question.days.first, question.days.last) == (date(2026, 11, 26), date(2026, 11, 26))
    assert question.kitchens == (HELSINKI,)


def test_a_range_that_is_too_long_is_cut_and_said() -> None:
    question = asked(**{"from": "2020-01-01", "to": "2026-11-26"})
    assert len(question.days) == MOST_DAYS
    assert len(question.errors) == 1


def test_days_to_come_are_none() -> None:
    question = asked(**{"from": "2026-11-20", "to": "2030-01-01"})
    assert question.days.last == date(2026, 11, 26)


@pytest.mark.parametrize(("range_", "weeks"), [("7", 1), ("28", 4), ("90", 13)])
def test_what_it_is_held_against_are_the_same_weekdays_and_none_of_its_own(range_: str, weeks: int) -> None:
    question = asked(range=range_)
    before = question.days.back(7 * question.weeks)
    assert question.weeks == weeks
    assert before.last < question.days.first
    assert [day.weekday() for day in before] == [day.weekday() for day in question.days]
