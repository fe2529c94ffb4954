"""The rollups as plain values, and their comparison with plain SQL over the history."""

from datetime import timedelta
from typing import Any

from django.db.models import Model

from analytics import plain
from analytics.grains import Grain
from analytics.histogram import ERROR, percentiles
from analytics.models import Customer, CustomerHour, HourlyThroughput, ItemDuration, OrderDuration
from analytics.refresh import ROLLUPS

_MICROSECOND = timedelta(microseconds=1)
_SPANS = {Grain.HOUR: "hour", Grain.DAY: "day", Grain.MONTH: "month", Grain.ALL: None}


def everything() -> dict[str, Any]:
    """All rows of all rollups."""
    return {
        model.__name__: sorted(tuple(map(str, row)) for row in model.objects.values_list(*columns(model)))
        for model in ROLLUPS
    }


def columns(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields]


def assert_equal_to_plain_sql() -> None:
    for grain, span in _SPANS.items():
        orders = OrderDuration.objects.filter(grain=grain)
        check_durations(orders, plain.durations("orders", span), plus=False)
        items = ItemDuration.objects.filter(grain=grain)
        check_durations(items.filter(plu=""), plain.durations("items", span), plus=True)
        check_durations(items.exclude(plu=""), plain.durations("products", span), plus=True)
    assert {
        (row.hour, row.kitchen, row.brand, row.channel): (
            row.orders, row.items, row.cancelled, row.recalled, row.late, row.pickups, row.pickup_micros,
        )
        for row in HourlyThroughput.objects.all()
    } == plain.throughput()  # fmt: skip
    assert {
        (row.kitchen, row.brand, row.account): (row.orders, row.first_at, row.last_at)
        for row in Customer.objects.all()
    } == plain.customers()
    assert {
        (row.hour, row.kitchen, row.brand, row.account): (row.orders, row.first_at, row.last_at)
        for row in CustomerHour.objects.all()
    } == plain.customer_hours()


def check_durations(rows: Any, truth: plain.Rows, *, plus: bool) -> None:
    found = {
        (row.plu if plus else "", row.start, row.kitchen, row.brand, row.status): (row.count, row.micros)
        for row in rows
    }
    assert found == {key: values[:2] for key, values in truth.items()}
    for row in rows:
        key = (row.plu if plus else "", row.start, row.kitchen, row.brand, row.status)
        histogram = {int(bucket): number for bucket, number in row.histogram.items()}
        assert sum(histogram.values()) == row.count
        for share, exact in zip(percentiles(histogram, (0.5, 0.9, 0.95)), truth[key][2], strict=True):
            micros = exact // _MICROSECOND
            assert abs(share - micros) <= ERROR * micros * (1 + 1e-9), (key, share, micros)
