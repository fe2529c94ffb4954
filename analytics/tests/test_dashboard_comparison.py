"""Today is compared with the same weekdays before over the hours that have ended, in each kitchen's own time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.dashboard.figures import Cells, compare
from analytics.dashboard.filters import DashboardFilter, parse
from analytics.dashboard.reads import Sums
from orders.models import Kitchen

TODAY = date(2026, 11, 25)
HELSINKI = Kitchen(slug="harju", name="Harju", time_zone="Europe/Helsinki")
STOCKHOLM = Kitchen(slug="soder", name="Söder", time_zone="Europe/Stockholm")
DELHI = Kitchen(slug="delhi", name="Delhi", time_zone="Asia/Kolkata")


def parsed(*kitchens: Kitchen, hour: int, minute: int, **query: str) -> DashboardFilter:
    return parse(query, kitchens, datetime(2026, 11, 25, hour, minute, tzinfo=UTC), sees_all=True)


def orders_each_hour(until: int) -> Cells:
    """Today up to an hour, and the whole of the same weekday before."""
    last_week = TODAY - timedelta(days=7)
    today = {(TODAY, hour): Sums(orders=1) for hour in range(until)}
    return {**today, **{(last_week, hour): Sums(orders=1) for hour in range(24)}}


def test_kitchens_in_several_zones_are_compared_up_to_the_same_hour() -> None:
    """Otherwise Stockholm's current hour would be compared with a whole one."""
    comparison = compare(parsed(HELSINKI, STOCKHOLM, hour=10, minute=30), orders_each_hour(12))

    assert (comparison.until, comparison.now.orders, comparison.before.orders) == (11, 11, 11)


@pytest.mark.parametrize(("minute", "until"), [(40, 11), (59, 11)])
def test_an_hour_of_utc_ends_half_past_in_india(minute: int, until: int) -> None:
    """At 6:40 UTC it is 12:10 there: what counts as hour 11, from half past, runs until half past twelve."""
    comparison = compare(parsed(DELHI, hour=6, minute=minute), orders_each_hour(12))

    assert (comparison.until, comparison.now.orders, comparison.before.orders) == (until, until, until)


def test_a_day_that_still_runs_somewhere_is_not_over() -> None:
    new_york = Kitchen(slug="queens", name="Queens", time_zone="America/New_York")
    late = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # Thursday in Helsinki, 17:30 of Wednesday in New York
    comparison = compare(
        parse({"range": "yesterday"}, (HELSINKI, new_york), late, sees_all=True), orders_each_hour(24)
    )

    assert (comparison.until, comparison.now.orders, comparison.before.orders) == (17, 17, 17)
