"""Compares the rollups with plain SQL over the history."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from analytics.granularity import Granularity
from analytics.histogram import ERROR, percentiles
from analytics.models import (
    Customer,
    CustomerHour,
    CustomerMonth,
    HourlyThroughput,
    ItemDuration,
    MoveHour,
    OrderDuration,
    Product,
    ProductSpan,
)
from analytics.refresh import ROLLUPS
from analytics.rules import MASS, Slot
from analytics.tests import plain_sql
from orders.cluster import ORDER_ID, has_citus

_MICROSECOND = timedelta(microseconds=1)
_PERIODS = {
    Granularity.HOUR: "hour",
    Granularity.DAY: "day",
    Granularity.MONTH: "month",
    Granularity.ALL: None,
}


def all_rows() -> dict[str, Any]:
    """All rows of all rollups."""
    return {
        model.__name__: sorted(tuple(map(str, row)) for row in model.objects.values_list(*columns(model)))
        for model in ROLLUPS
    }


def columns(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields]


@contextmanager
def copied_orders() -> Iterator[None]:
    """A cluster refuses some of the plain SQL: there it reads copies of the order tables under the same names."""
    if not has_citus():
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ORDER_ID:
            cursor.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM public.{table}")
        yield
        for table in ORDER_ID:
            cursor.execute(f"DROP TABLE pg_temp.{table}")


@copied_orders()
def assert_equal_to_plain_sql() -> None:
    for granularity, period in _PERIODS.items():
        orders = OrderDuration.objects.filter(grain=granularity)
        check_durations(orders, plain_sql.durations("orders", period), plus=False)
        items = ItemDuration.objects.filter(grain=granularity)
        check_durations(items.filter(plu=""), plain_sql.durations("items", period), plus=True)
        check_durations(items.exclude(plu=""), plain_sql.durations("products", period), plus=True)
    assert {
        (row.hour, row.kitchen, row.brand, row.channel): (
            row.orders, row.items, row.cancelled, row.recalled, row.late, row.pickups, row.pickup_micros,
            row.imported, row.skipped,
        )
        for row in HourlyThroughput.objects.all()
    } == plain_sql.throughput()  # fmt: skip
    assert {
        (row.kitchen, row.brand, row.account): (row.orders, row.first_at, row.last_at)
        for row in Customer.objects.all()
    } == plain_sql.customers()
    assert {
        (row.hour, row.kitchen, row.brand, row.account): (row.orders, row.first_at, row.last_at)
        for row in CustomerHour.objects.all()
    } == plain_sql.customer_hours()
    assert {
        (row.month, row.account): (row.orders,) for row in CustomerMonth.objects.all()
    } == plain_sql.customer_months()

    for granularity in (Granularity.HOUR, Granularity.DAY, Granularity.MONTH):
        check_products(granularity)
    assert {
        (row.brand, row.plu): (row.name, row.named_at, row.order) for row in Product.objects.all()
    } == plain_sql.product_names()
    assert {
        (row.hour, row.kitchen, *Slot.parse(slot)): (number,)
        for row in MoveHour.objects.all()
        for slot, number in row.slots.items()
    } == plain_sql.moves()
    for row in MoveHour.objects.all():
        assert row.massed == sum(number for number in row.slots.values() if number >= MASS)


def check_products(granularity: Granularity) -> None:
    rows = {
        (row.start, row.kitchen, row.brand, row.plu): row
        for row in ProductSpan.objects.filter(grain=granularity)
    }
    assert {key: (row.orders,) for key, row in rows.items() if row.orders} == plain_sql.sales(
        _PERIODS[granularity] or ""
    )
    times = plain_sql.ready_times(_PERIODS[granularity] or "")
    assert {key: (row.count, row.micros) for key, row in rows.items() if row.count} == {
        key: values[:2] for key, values in times.items()
    }
    for key, (_, _, exact) in times.items():
        check_percentiles(rows[key].histogram, exact)


def check_durations(rows: Any, expected: plain_sql.Rows, *, plus: bool) -> None:
    values = {
        (row.plu if plus else "", row.start, row.kitchen, row.brand, row.status): (row.count, row.micros)
        for row in rows
    }
    assert values == {key: each[:2] for key, each in expected.items()}
    for row in rows:
        key = (row.plu if plus else "", row.start, row.kitchen, row.brand, row.status)
        assert sum(row.histogram.values()) == row.count
        check_percentiles(row.histogram, expected[key][2])


def check_percentiles(histogram: dict[str, int], expected: list[timedelta]) -> None:
    by_bucket = {int(bucket): number for bucket, number in histogram.items()}
    for share, exact in zip(percentiles(by_bucket, (0.5, 0.9, 0.95)), expected, strict=True):
        micros = exact // _MICROSECOND
        assert abs(share - micros) <= ERROR * micros * (1 + 1e-9), (share, micros)
