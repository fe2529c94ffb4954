"""The reports of the analytics API. Each reads a few rows of the rollups, however many orders there are."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from analytics.customers import most_orders
from analytics.granularity import hour_from, hour_to, period_ranges
from analytics.histogram import percentiles
from analytics.models import Customer, HourlyThroughput, ItemDuration, OrderDuration
from orders.statuses import ITEM_NAMES, ORDER_NAMES

Report = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers. Every kitchen must match: the one asked for, and the one that a key is bound to.

    `since` and `until` are in UTC; an hour that the range touches counts as a whole.
    """

    since: datetime | None = None
    until: datetime | None = None
    kitchens: tuple[str, ...] = ()
    brand: str | None = None
    plu: str = ""

    @property
    def place(self) -> Q:
        condition = Q()
        for kitchen in self.kitchens:
            condition &= Q(kitchen=kitchen)
        return condition if self.brand is None else condition & Q(brand=self.brand)

    @property
    def level(self) -> Q:
        """For rollups with rows for all kitchens (empty) and all brands (empty): the row to read."""
        if len(set(self.kitchens)) > 1:
            return Q(kitchen__in=())
        return Q(kitchen="".join(set(self.kitchens)), brand=self.brand or "")

    @property
    def durations(self) -> Q:
        """Times in status have a row for all kitchens only for all brands together."""
        return self.level if self.brand is None else self.place

    @property
    def hours(self) -> Q:
        condition = Q()
        if self.since is not None:
            condition &= Q(hour__gte=hour_from(self.since))
        return condition if self.until is None else condition & Q(hour__lt=hour_to(self.until))

    @property
    def periods(self) -> Q:
        condition = Q()
        for granularity, start, end in period_ranges(self.since, self.until):
            of_range = Q(grain=granularity.value)
            if start is not None:
                of_range &= Q(start__gte=start)
            condition |= of_range if end is None else of_range & Q(start__lt=end)
        return condition


def seconds(micros: float) -> float:
    """Seconds to the millisecond."""
    return round(micros / 1_000_000, 3)


def order_status_durations(scope: Scope) -> Report:
    """How long orders were in each status that they have left."""
    return _durations(OrderDuration.objects.filter(scope.periods & scope.durations), ORDER_NAMES)


def item_status_durations(scope: Scope) -> Report:
    """How long items were in each status that they have left; of one product where the scope names it."""
    place = scope.place if scope.plu else scope.durations
    rows = ItemDuration.objects.filter(scope.periods & place, plu=scope.plu)
    return _durations(rows, ITEM_NAMES)


def _durations(rows: "QuerySet[OrderDuration] | QuerySet[ItemDuration]", names: dict[int, str]) -> Report:
    counts: defaultdict[int, int] = defaultdict(int)
    sums: defaultdict[int, int] = defaultdict(int)
    histograms: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    # As text: a year has thousands of histograms, and orjson reads them three times as fast.
    texts = rows.annotate(text=Cast("histogram", TextField()))
    for status, count, micros, text in texts.values_list("status", "count", "micros", "text"):
        counts[status] += count
        sums[status] += micros
        merged = histograms[status]
        for bucket, number in orjson.loads(text).items():
            merged[bucket] += number
    report = []
    for status in sorted(counts):
        by_bucket = {int(bucket): number for bucket, number in histograms[status].items()}
        p50, p90, p95 = percentiles(by_bucket, (0.5, 0.9, 0.95))
        report.append(
            {
                "status": names[status],
                "avgDurationSeconds": seconds(sums[status] / counts[status]),
                "count": counts[status],
                "p50Seconds": seconds(p50),
                "p90Seconds": seconds(p90),
                "p95Seconds": seconds(p95),
            }
        )
    return report


def hourly_throughput(scope: Scope, limit: int) -> Report:
    """The latest `limit` hours in which orders were created, newest first."""
    rows = (
        HourlyThroughput.objects.filter(scope.hours & scope.place, brand=scope.brand or "")
        .values("hour")
        .annotate(
            all_orders=Sum("orders"),
            all_items=Sum("items"),
            all_cancelled=Sum("cancelled"),
            all_recalled=Sum("recalled"),
            all_late=Sum("late"),
            all_pickups=Sum("pickups"),
            all_micros=Sum("pickup_micros"),
        )
        .filter(all_orders__gt=0)
        .order_by("-hour")[:limit]
    )
    return [
        {
            "hour": row["hour"],
            # The database sums whole numbers to decimals.
            "orderCount": int(row["all_orders"]),
            "itemCount": int(row["all_items"]),
            "cancelledCount": int(row["all_cancelled"]),
            "recalledCount": int(row["all_recalled"]),
            "lateCount": int(row["all_late"]),
            "pickupWaitCount": int(row["all_pickups"]),
            "avgPickupWaitSeconds": seconds(int(row["all_micros"]) / int(row["all_pickups"]))
            if row["all_pickups"]
            else None,
        }
        for row in rows
    ]


def customer_order_counts(scope: Scope, limit: int) -> Report:
    """The `limit` accounts with the most orders, ties by account."""
    rows: Iterable[tuple[str, int, datetime, datetime]]
    if scope.since is None and scope.until is None:
        rows = (
            Customer.objects.filter(scope.level)
            .order_by("-orders", "account")
            .values_list("account", "orders", "first_at", "last_at")[:limit]
        )
    else:
        rows = most_orders(scope.since, scope.until, scope.kitchens, scope.brand, limit)
    return [
        {"account": account, "orderCount": orders, "firstOrderAt": first, "lastOrderAt": last}
        for account, orders, first, last in rows
    ]


def progress() -> tuple[str, datetime | None]:
    """A text that changes whenever the rollups do, and when they were last refreshed (None: never).

    Every report asks for it, so it is plain SQL: the ORM would double the cost of a cached answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT concat(cursor, '/', renames), refreshed_at FROM analytics_progress WHERE id = 1"
        )
        row: tuple[str, datetime | None] = cursor.fetchone() or ("", None)
        return row
