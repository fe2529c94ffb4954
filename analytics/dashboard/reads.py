"""The dashboard's reads of the rollups. Each statement costs what the range holds, however many orders there ever were,
and is limited to the kitchens of the filters; none reads orders or their history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection
from django.db.models import Q

from analytics.dashboard.days import Days, LocalDay, local_day
from analytics.dashboard.filters import DashboardFilter
from analytics.granularity import Granularity, period_ranges
from analytics.models import ProductSpan
from analytics.rules import MASS, Slot

Buckets = dict[str, int]
# By granularity, start and time zone: status and histogram.
type Histograms = dict[tuple[int, datetime, str], list[tuple[int, Buckets]]]


class Sums(NamedTuple):
    """Sums over orders, by their creation. Whole numbers, unless they are averages."""

    orders: float = 0
    items: float = 0
    cancelled: float = 0
    recalled: float = 0
    late: float = 0
    pickups: float = 0
    pickup_micros: float = 0
    imported: float = 0
    skipped: float = 0

    def over(self, number: int) -> "Sums":
        return Sums(*(each / number for each in self)) if number else Sums()

    def plus(self, other: "Sums") -> "Sums":
        return Sums(*map(sum, zip(self, other, strict=True)))


_SUMS = ", ".join(f"sum({name})::bigint" for name in Sums._fields)


@dataclass(slots=True)
class Hours:
    """`cells`: kitchen and hour of UTC → sums. `shares`: brand and channel → sums over the chosen days."""

    cells: dict[tuple[str, datetime], Sums]
    shares: dict[tuple[str, str], Sums]


def hours(filters: DashboardFilter) -> Hours:
    """Orders by hour and, of the chosen days, by brand and channel; one statement."""
    inside, inside_values = _in_days(filters, filters.days, "hour")
    needed, needed_values = _in_days(filters, filters.hours_needed, "hour")
    brands = "brand = %s" if filters.brand else "brand <> %s"
    sql = f"""
        SELECT hour, kitchen, NULL, NULL, {_SUMS} FROM analytics_hourlythroughput
        WHERE ({needed}) AND brand = %s GROUP BY 1, 2
        UNION ALL
        SELECT NULL, NULL, brand, channel, {_SUMS} FROM analytics_hourlythroughput
        WHERE ({inside}) AND {brands} GROUP BY 3, 4
    """  # noqa: S608 (only constants are put in)
    hours = Hours({}, {})
    for hour, kitchen, brand, channel, *sums in _rows(
        sql, [*needed_values, filters.brand, *inside_values, filters.brand]
    ):
        if hour is not None:
            hours.cells[kitchen, hour] = Sums(*sums)
        elif sums[0]:
            hours.shares[brand, channel] = Sums(*sums)
    return hours


def times_in_status(filters: DashboardFilter) -> dict[tuple[date, int], Buckets]:
    """By local day of `filters.trend` and status: the histogram of the times that ended in it.

    A local day is a day of UTC with some hours added and others subtracted (days.local_day). So it reads one row for
    the day and a few for hours at its edges, instead of one for each hour.
    """
    local_days = {zone: {day: local_day(day, zone) for day in filters.trend} for zone in filters.zones}
    days = sorted({local.utc_day for of_zone in local_days.values() for local in of_zone.values()})
    edges = sorted(
        {
            hour
            for of_zone in local_days.values()
            for local in of_zone.values()
            for hour in (*local.added, *local.subtracted)
        }
    )
    sql = f"""
        SELECT grain, start, kitchen, status, histogram::text FROM analytics_orderduration
        WHERE kitchen = ANY(%s) AND brand = %s AND (
            (grain = {Granularity.DAY.value} AND start = ANY(%s))
            OR (grain = {Granularity.HOUR.value} AND start = ANY(%s)))
    """  # noqa: S608 (only constants are put in)
    histograms: Histograms = {}
    for granularity, start, kitchen, status, histogram in _rows(
        sql, [filters.slugs, filters.brand, days, edges]
    ):
        zone = filters.zone_of[kitchen].key
        histograms.setdefault((granularity, start, zone), []).append((status, orjson.loads(histogram)))
    by_day: dict[tuple[date, int], Buckets] = {}
    for zone, of_zone in local_days.items():
        for day, local in of_zone.items():
            _add_local_day(by_day, day, local, histograms, zone)
    return {key: positive for key, buckets in by_day.items() if (positive := _above_zero(buckets))}


def _add_local_day(
    by_day: dict[tuple[date, int], Buckets], day: date, local: LocalDay, histograms: Histograms, zone: str
) -> None:
    periods = [
        (1, (Granularity.DAY.value, local.utc_day, zone)),
        *((1, (Granularity.HOUR.value, hour, zone)) for hour in local.added),
        *((-1, (Granularity.HOUR.value, hour, zone)) for hour in local.subtracted),
    ]
    for sign, key in periods:
        for status, buckets in histograms.get(key, ()):
            merge(by_day.setdefault((day, status), {}), buckets, sign)


def merge(into: Buckets, buckets: Buckets, sign: int = 1) -> None:
    for bucket, number in buckets.items():
        into[bucket] = into.get(bucket, 0) + sign * number


def _above_zero(buckets: Buckets) -> Buckets:
    return {bucket: number for bucket, number in buckets.items() if number}


@dataclass(slots=True)
class Product:
    """A product over the chosen days. `buckets`: how long it took to get ready."""

    kitchen: str
    brand: str
    plu: str
    name: str
    orders: int = 0
    buckets: Buckets = field(default_factory=dict)


def products(filters: DashboardFilter) -> list[Product]:
    periods = Q()
    for zone, slugs in filters.zones.items():
        since, until = filters.days.hours(zone)
        for granularity, start, end in period_ranges(since, until):
            periods |= Q(grain=granularity.value, start__gte=start, start__lt=end, kitchen__in=slugs)
    # Also by kitchen: without any, `periods` is empty and would match every row.
    rows = ProductSpan.objects.filter(periods, kitchen__in=filters.slugs)
    if filters.brand:
        rows = rows.filter(brand=filters.brand)
    sql, values = rows.values("kitchen", "brand", "plu", "orders", "histogram").query.sql_with_params()
    by_key: dict[tuple[str, str, str], Product] = {}
    with_names = f"""
        SELECT rows.kitchen, rows.brand, rows.plu, named.name, orders, histogram::text
        FROM ({sql}) AS rows LEFT JOIN analytics_product named ON named.brand = rows.brand AND named.plu = rows.plu
    """  # noqa: S608 (only constants are put in)
    for kitchen, brand, plu, name, orders, histogram in _rows(with_names, values):
        key = (kitchen, brand, plu)
        product = by_key.setdefault(key, Product(*key, name or plu))
        product.orders += orders
        merge(product.buckets, orjson.loads(histogram))
    return list(by_key.values())


class MassMove(NamedTuple):
    """Five orders or more that somebody moved to a status within ten seconds."""

    kitchen: str
    at: datetime
    status: int
    actor: str
    orders: int


class MassMoves(NamedTuple):
    orders: int
    latest: list[MassMove]


class CustomerStats(NamedTuple):
    """`newcomers`: first orders of customers by kitchen and hour, over the days of the trend. `mass` counts all brands:
    whoever clears a wall moves orders of every brand."""

    newcomers: dict[tuple[str, datetime], int]
    mass: MassMoves


def newcomers_and_mass_moves(filters: DashboardFilter, most: int = 5) -> CustomerStats:
    """Both in one statement.

    Without a chosen kitchen, a user who sees all kitchens gets customers who were new to all of them, under the first
    kitchen of the first zone.
    """
    if filters.sees_all and not filters.kitchen and filters.zones:
        zone, of_zone = next(iter(filters.zones.items()))
        slugs, kitchen_of = [""], {"": of_zone[0]}
        new, new_values = "first_at >= %s AND first_at < %s", list[Any](filters.trend.hours(zone))
    else:
        slugs, kitchen_of = filters.slugs, {slug: slug for slug in filters.slugs}
        new, new_values = _in_days(filters, filters.trend, "first_at")
    moved, moved_values = _in_days(filters, filters.days, "hour")
    sql = f"""
        SELECT kitchen, date_trunc('hour', first_at, 'UTC') AS hour, count(*), NULL FROM analytics_customer
        WHERE kitchen = ANY(%s) AND brand = %s AND ({new}) GROUP BY 1, 2
        UNION ALL
        SELECT kitchen, hour, massed, slots::text FROM analytics_movehour WHERE ({moved}) AND massed > 0
        ORDER BY hour DESC
    """  # noqa: S608 (only constants are put in)
    newcomers: dict[tuple[str, datetime], int] = {}
    total = 0
    latest: list[MassMove] = []
    for kitchen, hour, number, slots in _rows(sql, [slugs, filters.brand, *new_values, *moved_values]):
        if slots is None:
            newcomers[kitchen_of[kitchen], hour] = number
            continue
        total += number
        if len(latest) < most:
            latest += [
                MassMove(kitchen, hour + slot.offset, slot.status, slot.actor, moves)
                for text, moves in orjson.loads(slots).items()
                if moves >= MASS and (slot := Slot.parse(text))
            ]
    latest.sort(key=lambda move: move.at, reverse=True)
    return CustomerStats(newcomers, MassMoves(total, latest[:most]))


def _in_days(filters: DashboardFilter, days: Days, column: str) -> tuple[str, list[Any]]:
    """The condition that a row is of a chosen kitchen and its hour is in the kitchen's local `days`."""
    conditions, values = [], []
    for zone, slugs in filters.zones.items():
        since, until = days.hours(zone)
        conditions.append(f"({column} >= %s AND {column} < %s AND kitchen = ANY(%s))")
        values += [since, until, slugs]
    return " OR ".join(conditions) or "false", values


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
