"""A simulated past has what managers should find, obeys the rules, and is counted by analytics."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.reports import Scope, hourly_throughput
from analytics.tests.consistency import assert_equal_to_plain_sql
from core.env import ConfigError
from huuva.ops.simulation.filling import fill
from huuva.ops.simulation.past import Past
from huuva.ops.start.demo import demo_options
from orders.bulk import SimulatedOrder
from orders.models import Kitchen, Order, StatusChange
from orders.statuses import CANCELLED, OPEN, PICKED_UP, PREPARING, READY, RECEIVED, Kind
from orders.tasks import check_history
from orders.tests import factories

HELSINKI = ZoneInfo("Europe/Helsinki")
# Helsinki's clocks went forward two days before.
NOW = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)


def past(days: int = 14, per_day: float = 120, seed: int = 1, slug: str = "main") -> Past:
    return Past(Kitchen(slug=slug, name=slug), days, per_day, seed, NOW)


@pytest.fixture(scope="module")
def orders() -> list[SimulatedOrder]:
    return [order for day in past().orders_by_day() for order in day]


def test_it_has_the_orders_that_were_asked_for(orders: list[SimulatedOrder]) -> None:
    assert 14 * 120 * 0.9 < len(orders) < 15 * 120 * 1.1
    weekdays = Counter(order.order.created_at.astimezone(HELSINKI).weekday() for order in orders)
    assert weekdays[4] + weekdays[5] > 1.25 * (weekdays[0] + weekdays[1]) * 2 / 2.5
    hours = Counter(order.order.created_at.astimezone(HELSINKI).hour for order in orders)
    assert hours[18] > hours[15] > hours[4]


def test_nothing_happens_after_now_and_recent_orders_are_open(orders: list[SimulatedOrder]) -> None:
    assert max(row.at for order in orders for row in order.history) <= NOW
    open_orders = [order for order in orders if order.is_open]
    assert open_orders
    assert min(order.order.created_at for order in open_orders) > NOW - timedelta(hours=8)
    assert len(open_orders) < len(orders) / 20


def test_it_has_what_managers_look_for(orders: list[SimulatedOrder]) -> None:
    closed = [order for order in orders if not order.is_open]
    assert 0.02 < sum(order.order.status == CANCELLED for order in closed) / len(closed) < 0.12
    assert (
        0.01
        < sum(any(row.kind == Kind.RECALL for row in order.history) for order in closed) / len(closed)
        < 0.12
    )
    late = sum(
        any(
            row.plu is None and row.to_status in (READY, PICKED_UP) and row.at > order.order.due_at
            for row in order.history
        )
        for order in closed
    )
    assert 0.02 < late / len(closed) < 0.6
    forgotten = [
        order
        for order in closed
        if [row.to_status for row in order.history if row.plu is None] == [RECEIVED, PICKED_UP]
    ]
    assert forgotten
    accounts = Counter(order.order.account for order in orders)
    assert max(accounts.values()) > 2 and len(accounts) > 100
    actors = {row.actor.partition(":")[0] for order in orders for row in order.history}
    assert actors == {"key", "screen", "user"}


def test_now_and_then_everything_is_bumped_at_once() -> None:
    bumps = sorted(
        row.at
        for day in past(days=10, per_day=400).orders_by_day()
        for order in day
        for row in order.history
        if row.plu is not None and row.to_status == READY and row.actor.startswith("screen:")
    )
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(bumps)]
    runs = longest = 0
    for gap in gaps:
        runs = runs + 1 if gap < 2 else 0
        longest = max(longest, runs)
    assert longest > 8


def test_products_have_their_own_times(orders: list[SimulatedOrder]) -> None:
    took: dict[str, list[float]] = {}
    for order in orders:
        started = {row.plu: row.at for row in order.history if row.to_status == PREPARING}
        for row in order.history:
            if row.to_status == READY and row.plu in started and row.plu is not None:
                took.setdefault(row.plu, []).append((row.at - started[row.plu]).total_seconds())
    medians = {plu: sorted(times)[len(times) // 2] for plu, times in took.items()}
    assert medians["GRILL-WINGS-20"] > medians["SUSHI-SALMON"] > medians["COLD-EDAMAME"]


def test_the_same_seed_gives_the_same_past_and_longer_ones_end_with_it() -> None:
    def summary(days: int, seed: int) -> list[Any]:
        return [
            [
                (order.order.created_at, order.order.status, [row.to_status for row in order.history])
                for order in day
            ]
            for day in past(days, seed=seed).orders_by_day()
        ][-2:]

    assert summary(3, seed=5) == summary(3, seed=5) != summary(3, seed=6)
    random.seed(0)
    assert summary(3, seed=5) == summary(3, seed=5)


@pytest.mark.django_db(transaction=True)
def test_the_command_writes_it_and_refreshes_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    for slug, zone in (("main", "Europe/Helsinki"), ("queens", "America/New_York")):
        factories.kitchen(slug, time_zone=zone)
    arguments = (
        "--days",
        "3",
        "--orders-per-day",
        "40",
        "--seed",
        "3",
        "--kitchen",
        "main",
        "--kitchen",
        "queens",
    )
    call_command("simulate", *arguments)
    output = capsys.readouterr()
    count = Order.objects.count()
    assert output.out.startswith(
        f"Wrote {count:,} orders with {StatusChange.objects.count():,} rows of history in "
    )
    assert "--seed 3 repeats it" in output.err and f"row {StatusChange.objects.count():,} of" in output.err
    assert check_history() == 0
    assert_equal_to_plain_sql()
    assert sum(row["orderCount"] for row in hourly_throughput(Scope(), 1000)) == count > 150
    assert set(Order.objects.values_list("kitchen", flat=True)) == {"main", "queens"}
    assert Order.objects.filter(status__in=OPEN).count() < 40
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tx) FROM orders_statuschange")
        assert cursor.fetchone() == (1,), "fewer than a batch"
    call_command("simulate", *arguments)
    assert Order.objects.count() == 2 * count, "once more is twice as many"


@pytest.mark.django_db(transaction=True)
def test_batches_are_transactions_and_an_error_in_one_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    kitchen = factories.kitchen()
    monkeypatch.setattr("huuva.ops.simulation.filling.BATCH", 10)
    shown: list[int] = []
    orders, rows = fill([Past(kitchen, 1, 60, 1, NOW)], lambda orders, rows: shown.append(orders))
    assert (orders, rows) == (Order.objects.count(), StatusChange.objects.count())
    assert shown == sorted(shown)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT tx) FROM orders_statuschange")
        assert cursor.fetchone() == (-(-orders // 10),)
    # A kitchen that doesn't exist.
    with pytest.raises(Exception, match="orders_order_kitchen_id"):
        fill([past(days=1, slug="gone")], lambda *_: None)
    assert Order.objects.count() == orders


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--days", "0"), "--days: must be a whole number from 1 to 3,660, not '0'"),
        (("--days", "-3"), "--days: must be a whole number"),
        (("--days", "1.5"), "--days: must be a whole number"),
        (("--days", "9999"), "--days: must be a whole number"),
        (("--days", "2", "--orders-per-day", "-5"), "--orders-per-day: must be a number above 0"),
        (("--days", "2", "--orders-per-day", "nan"), "--orders-per-day: must be a number above 0"),
        (("--days", "2", "--rate", "5"), "--rate is for a rush"),
        (("--days", "2", "--url", "http://127.0.0.1:1"), "--url is for a rush"),
        (("--days", "2", "--kitchen", "nowhere"), "Unknown kitchen: nowhere."),
        (("--orders-per-day", "5"), "go with --days"),
        (("--kitchen", "a", "--kitchen", "b"), "A rush has one --kitchen"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("simulate", *arguments)
    assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_kitchen_with_real_orders_needs_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    order = factories.order()
    with pytest.raises(CommandError, match="Kitchen main has orders that are not simulated"):
        call_command("simulate", "--days", "1", "--orders-per-day", "5")
    assert Order.objects.get() == order
    call_command("simulate", "--days", "1", "--orders-per-day", "5", "--beside-real-orders")
    assert Order.objects.count() > 1


def test_the_demo_refuses_conflicting_options() -> None:
    assert demo_options(["--demo", "--days", "3"]) == ["--days", "3"]
    with pytest.raises(ConfigError, match="--speed is for a rush"):
        demo_options(["--demo", "--days", "3", "--speed", "2"])
