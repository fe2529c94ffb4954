"""What the rules count for single orders."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from analytics import refresh as refreshing
from analytics.granularity import Granularity
from analytics.models import HourlyThroughput, MoveHour, Product, ProductSpan, Progress
from analytics.refresh import ROLLUPS, rebuild, refresh
from analytics.reports import (
    Scope,
    customer_order_counts,
    hourly_throughput,
    item_status_durations,
    order_status_durations,
)
from analytics.rules import RULES
from analytics.tests.consistency import assert_equal_to_plain_sql
from orders.models import Order
from orders.recall import recall
from orders.services import create_order, move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def wait() -> Iterator[Callable[[float], datetime]]:
    """The clock of the kitchen stands at noon, and `wait(minutes)` moves it on."""
    now = NOON

    def move_on(minutes: float) -> datetime:
        nonlocal now
        now += timedelta(minutes=minutes)
        return now

    with mock.patch("orders.clock.now", side_effect=lambda: now):
        yield move_on


def order(*statuses: int | None, due_in: float = 20, **fields: Any) -> Order:
    pickup_in = NOON + timedelta(minutes=due_in) - datetime.now(UTC)
    return factories.order(*statuses, pickup_in=pickup_in, **fields)


def times(
    report: Callable[[Scope], list[dict[str, Any]]], scope: Scope | None = None
) -> dict[str, tuple[int, float]]:
    refresh()
    return {row["status"]: (row["count"], row["avgDurationSeconds"]) for row in report(scope or Scope())}


def hour() -> dict[str, Any]:
    refresh()
    (row,) = hourly_throughput(Scope(), 24)
    return row


def test_a_status_ends_with_the_next_change_and_counts_only_then(
    wait: Callable[[float], datetime],
) -> None:
    one = order()
    wait(2)
    move_order(one.id, PREPARING, actor="user:anna")
    wait(10)
    move_order(one.id, READY, actor="user:anna")
    wait(5)
    assert times(order_status_durations) == {"RECEIVED": (1, 120), "PREPARING": (1, 600)}
    assert times(item_status_durations) == {"ORDERED": (3, 120), "PREPARING": (3, 600)}
    move_order(one.id, CANCELLED, actor="user:anna")
    assert times(order_status_durations)["READY"] == (1, 300)


def test_a_recall_ends_a_status_and_starts_the_earlier_one_again(
    wait: Callable[[float], datetime],
) -> None:
    one = order(None)
    move_order(one.id, PREPARING, actor="user:anna")
    wait(10)
    move_order(one.id, READY, actor="user:anna")
    wait(1)
    recall(one.id, actor="user:anna")
    wait(4)
    move_order(one.id, READY, actor="user:anna")
    assert times(order_status_durations) == {"RECEIVED": (1, 0), "PREPARING": (2, 420), "READY": (1, 60)}
    assert hour()["recalledCount"] == 1
    recall(one.id, actor="user:anna")
    assert hour()["recalledCount"] == 1, "it counts orders"


def test_imports_count_in_their_own_hours_unless_negative() -> None:
    last_year = datetime(2025, 5, 1, 18, 10, tzinfo=UTC)
    history = [
        (RECEIVED, last_year),
        (PREPARING, last_year + timedelta(minutes=5)),
        (READY, last_year),
        (PICKED_UP, last_year + timedelta(hours=1)),
    ]
    factories.order(None, status=PICKED_UP, history=history)
    assert times(order_status_durations) == {"RECEIVED": (1, 300), "READY": (1, 3600)}
    evening = Scope(since=last_year, until=last_year + timedelta(minutes=1))
    assert times(order_status_durations, evening) == {"RECEIVED": (1, 300)}


def test_times_are_counted_in_the_hour_they_end(wait: Callable[[float], datetime]) -> None:
    one = order(None)
    wait(59)
    move_order(one.id, PREPARING, actor="user:anna")
    wait(2)
    move_order(one.id, READY, actor="user:anna")
    noon = Scope(since=NOON, until=NOON + timedelta(hours=1))
    one_o_clock = Scope(since=NOON + timedelta(hours=1))
    assert times(order_status_durations, noon) == {"RECEIVED": (1, 3540)}
    assert times(order_status_durations, one_o_clock) == {"PREPARING": (1, 120)}


def test_a_product_has_its_own_times(wait: Callable[[float], datetime]) -> None:
    one = order(None, None)
    wait(3)
    move_item(one.id, "P1", PREPARING, actor="screen:grill")
    assert times(item_status_durations, Scope(plu="P1")) == {"ORDERED": (1, 180)}
    assert times(item_status_durations, Scope(plu="P0")) == {}


@pytest.mark.parametrize(
    "moves, late",
    [
        ([(19, READY)], 0),
        ([(20, READY)], 0),
        ([(21, READY)], 1),
        ([(21, PICKED_UP)], 1),
        ([(19, READY), (10, PICKED_UP)], 0),
        ([(21, CANCELLED)], 0),
        ([(21, READY), (1, CANCELLED)], 1),
        ([(10, READY), (1, None), (15, READY)], 1),
        ([(21, READY), (1, None), (1, READY)], 1),
    ],
)
def test_late_is_an_order_that_got_ready_after_it_was_due(
    wait: Callable[[float], datetime], moves: list[tuple[float, int | None]], late: int
) -> None:
    one = order(None)
    for minutes, to in moves:
        wait(minutes)
        if to is None:
            recall(one.id, actor="user:anna")
        else:
            move_order(one.id, to, actor="user:anna")
    assert hour()["lateCount"] == late


def test_throughput_counts_by_the_hour_of_creation(wait: Callable[[float], datetime]) -> None:
    first, second = order(), order(None)
    wait(90)
    move_order(first.id, READY, actor="user:anna")
    wait(5)
    move_order(first.id, PICKED_UP, actor="user:anna")
    move_order(second.id, CANCELLED, actor="user:anna")
    assert hour() == {
        "hour": NOON,
        "orderCount": 2,
        "itemCount": 4,
        "cancelledCount": 1,
        "recalledCount": 0,
        "lateCount": 1,
        "pickupWaitCount": 1,
        "avgPickupWaitSeconds": 300,
    }


def test_an_order_is_not_cancelled_because_its_past_was() -> None:
    past = datetime(2026, 5, 1, tzinfo=UTC)
    factories.order(None, history=[(CANCELLED, past), (RECEIVED, past)])
    assert hour()["cancelledCount"] == 0


def test_customers_are_counted_by_kitchen_and_brand() -> None:
    harju = factories.kitchen("harju")
    factories.order(None, account="a")
    factories.order(None, account="b", brand_id="sushi", of=harju)
    factories.order(None, account="b")
    refresh()

    def counts(**scope: Any) -> dict[str, int]:
        return {row["account"]: row["orderCount"] for row in customer_order_counts(Scope(**scope), 100)}

    assert list(counts().items()) == [("b", 2), ("a", 1)]
    assert counts(kitchens=("harju",)) == counts(brand="sushi") == {"b": 1}
    assert counts(kitchens=("harju",), brand="burgers") == {}
    assert counts(kitchens=("harju", "main")) == {}
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert counts(since=hour_ago) == counts()
    assert counts(since=hour_ago, kitchens=("harju",)) == {"b": 1}
    assert counts(until=hour_ago) == {}
    assert len(customer_order_counts(Scope(), 1)) == 1


def test_hours_are_the_latest_that_have_orders(wait: Callable[[float], datetime]) -> None:
    for _ in range(3):
        order(None)
        wait(180)
    refresh()
    hours = [row["hour"] for row in hourly_throughput(Scope(), 2)]
    assert hours == [NOON + timedelta(hours=6), NOON + timedelta(hours=3)]
    assert hourly_throughput(Scope(brand="sushi"), 2) == []


def test_an_order_that_skips_a_status_is_counted_once(wait: Callable[[float], datetime]) -> None:
    whole, short = order(None), order(None)
    for status in (PREPARING, READY, PICKED_UP):
        move_order(whole.id, status, actor="user:anna")
    move_order(short.id, PICKED_UP, actor="user:anna")
    refresh()
    assert HourlyThroughput.objects.get(brand="").skipped == 1
    order(None, status=READY)
    refresh()
    assert HourlyThroughput.objects.get(brand="").skipped == 2


def test_a_recall_and_a_cancellation_skip_no_status(wait: Callable[[float], datetime]) -> None:
    one = order(None)
    move_order(one.id, PREPARING, actor="user:anna")
    recall(one.id, actor="user:anna")
    move_order(one.id, CANCELLED, actor="user:anna")
    refresh()
    assert HourlyThroughput.objects.get(brand="").skipped == 0


def test_an_imported_history_is_counted_once_for_its_order(wait: Callable[[float], datetime]) -> None:
    order(None, status=READY, history=[(RECEIVED, NOON), (PREPARING, NOON), (READY, NOON)])
    order(None)
    refresh()
    assert HourlyThroughput.objects.get(brand="").imported == 1


def product() -> tuple[int, int, int]:
    refresh()
    row = ProductSpan.objects.get(grain=Granularity.MONTH, plu="P0")
    return row.orders, row.count, round(row.micros / 1_000_000)


def test_a_product_takes_until_it_is_ready_for_the_first_time(wait: Callable[[float], datetime]) -> None:
    one = order(None, None)
    wait(4)
    move_item(one.id, "P0", READY, actor="screen:grill")
    recall(one.id, plu="P0", actor="screen:grill")
    wait(9)
    move_item(one.id, "P0", READY, actor="screen:grill")
    move_order(one.id, PICKED_UP, actor="screen:expo")
    assert product() == (1, 1, 240)


def test_a_product_for_later_is_timed_from_20_minutes_before_it_is_due(
    wait: Callable[[float], datetime],
) -> None:
    one, early = order(None, due_in=120), order(None, due_in=120)
    wait(30)
    move_item(early.id, "P0", READY, actor="screen:grill")
    wait(77)
    move_item(one.id, "P0", READY, actor="screen:grill")
    assert product() == (2, 1, 7 * 60), "one that was ready before has no duration"


def test_a_product_has_its_name_in_the_latest_order(wait: Callable[[float], datetime]) -> None:
    for minutes, name in ((0, "Burger"), (5, "Big burger")):
        wait(minutes)
        new = factories.new_order(None)
        new.items[0].details["name"] = name
        create_order(new, kitchen=factories.kitchen(), actor="key:wolt")
        refresh()
    assert Product.objects.get().name == "Big burger"


def test_five_orders_moved_by_one_actor_in_ten_seconds_are_a_mass_move(
    wait: Callable[[float], datetime],
) -> None:
    orders = [order(None) for _ in range(9)]
    for one in orders[:4]:
        move_order(one.id, READY, actor="user:bert")
    refresh()
    assert MoveHour.objects.get().massed == 0
    for one in orders[4:]:
        wait(0.01)
        move_order(one.id, READY, actor="screen:expo")
    refresh()
    assert MoveHour.objects.get().massed == 5
    wait(1)
    for one in orders:
        wait(1)
        move_order(one.id, PICKED_UP, actor="screen:expo")
    refresh()
    assert MoveHour.objects.get().massed == 5


def test_rollups_of_other_rules_are_rebuilt(wait: Callable[[float], datetime]) -> None:
    order(None)
    refresh()
    HourlyThroughput.objects.update(orders=99)
    Progress.objects.update(rules=1)
    refresh()
    assert HourlyThroughput.objects.get(brand="").orders == 1
    assert Progress.objects.get().rules == RULES


def test_rollups_are_emptied_in_batches_which_may_be_interrupted(
    wait: Callable[[float], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction that deletes them all would block the change feed for every reader."""
    monkeypatch.setattr(refreshing, "DELETE_BATCH", 3)
    for _ in range(4):
        one = order(None)
        wait(4000)
        move_order(one.id, PICKED_UP, actor="user:anna")
    refresh()
    Progress.objects.update(rules=1)

    def count_rows() -> int:
        return sum(model.objects.count() for model in ROLLUPS)

    before = count_rows()
    refreshed = refresh(max_pages=1)
    assert (refreshed.complete, refreshed.changes, count_rows()) == (False, 0, before - 3)
    refresh(max_pages=2)
    assert count_rows() == before - 9

    assert refresh().complete
    assert_equal_to_plain_sql()
    assert rebuild(page_size=5) > 0
    assert_equal_to_plain_sql()
