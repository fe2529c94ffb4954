"""An order whose due time is amended: what was counted before stays, and a rebuild counts the same."""

from datetime import timedelta

import pytest

from analytics.models import HourlyThroughput
from analytics.refresh import rebuild, refresh
from analytics.tests.consistency import all_rows, assert_equal_to_plain_sql
from orders import clock
from orders.amendments import amend_order
from orders.recall import recall
from orders.services import move_order
from orders.statuses import PICKED_UP, PREPARING, READY
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("read_between", [False, True])
@pytest.mark.parametrize("pickup_in", [timedelta(minutes=30), timedelta(hours=-3)])
def test_an_amendment_changes_no_earlier_count(read_between: bool, pickup_in: timedelta) -> None:
    """Ready too late, recalled, due later, ready again in time; or the other way round."""
    first = -pickup_in
    order = factories.order(None, pickup_in=first if first > timedelta() else timedelta(seconds=0.2))
    move_order(order.id, PREPARING, actor="screen:grill")
    move_order(order.id, READY, actor="screen:grill")
    if read_between:
        refresh()
    recall(order.id, actor="screen:grill")
    amend_order(order.id, pickup_time=clock.now() + pickup_in, actor="key:wolt")
    move_order(order.id, READY, actor="screen:grill")
    if read_between:
        refresh()
    amend_order(order.id, pickup_time=clock.now() + 2 * abs(pickup_in), actor="key:wolt")
    move_order(order.id, PICKED_UP, actor="screen:expo")

    refresh()

    assert_equal_to_plain_sql()
    assert HourlyThroughput.objects.get(brand="").orders == 1
    before = all_rows()
    rebuild()
    assert all_rows() == before
