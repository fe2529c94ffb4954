"""What the dashboard reads from the rollups: few statements, each of which costs what the range holds, never what was
ever sold. Each takes the kitchens that may be seen; none looks at orders or their history."""

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


class Sums(NamedTuple):
    """Of orders, by their creation. Whole numbers, unless they are averages."""

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
    """`cells`: kitchen and hour of UTC → sums. `shares`: brand and channel → sums over the days asked for."""

    cells: dict[tuple[str, datetime], Sums]
    shares: dict[tuple[str, str], Sums]


def hours(question: DashboardFilter) -> Hours:
    """Orders by hour and, of the days asked for, by brand and channel; one statement."""
    inside, inside_values = _in_days(question, question.days, "hour")
    needed, needed_values = _in_days(question, question.hours_needed, "hour")
    brands = "brand = %s" if question.brand else "brand <> %s"
    sql = f"""
        SELECT hour, kitchen, NULL, NULL, {_SUMS} FROM analytics_hourlythroughput
        WHERE ({needed}) AND brand = %s GROUP BY 1, 2
        UNION ALL
        SELECT NULL, NULL, brand, channel, {_SUMS} FROM analytics_hourlythroughput
        WHERE ({inside}) AND {brands} GROUP BY 3, 4
    """  # noqa: S608 (only constants are put in)
    found = Hours({}, {})
    for hour, kitchen, brand, channel, *sums in _rows(
        sql, [*needed_values, question.brand, *inside_values, question.brand]
    ):
        if hour is not None:
            found.cells[kitchen, hour] = Sums(*sums)
        elif sums[0]:
            found.shares[brand, channel] = Sums(*sums)
    return found


def times_in_status(question: DashboardFilter) -> dict[tuple[date, int], Buckets]:
    """By local day of `question.trend` and status: the histogram of the times that ended in it.

    A local day is a day of UTC with some hours more and some less (days.mended), so it reads a row for the day and a
    few for hours at its edges, instead of one for each hour.
    """
    plans = {zone: {day: local_day(day, zone) for day in question.trend} for zone in question.zones}
    days = sorted({plan.day for of_zone in plans.values() for plan in of_zone.values()})
    edges = sorted(
        {hour for of_zone in plans.values() for plan in of_zone.values() for hour in (*plan.more, *plan.less)}
    )
    sql = f"""
        SELECT grain, start, kitchen, status, histogram::text FROM analytics_orderduration
        WHERE kitchen = ANY(%s) AND brand = %s AND (
            (grain = {Granularity.DAY.value} AND start = ANY(%s))
            OR (grain = {Granularity.HOUR.value} AND start = ANY(%s)))
    """  # noqa: S608 (only constants are put in)
    kept: dict[tuple[int, datetime, str], list[tuple[int, Buckets]]] = {}
    for granularity, start, kitchen, status, histogram in _rows(
        sql, [question.slugs, question.brand, days, edges]
    ):
        zone = question.zone_of[kitchen].key
        kept.setdefault((granularity, start, zone), []).append((status, orjson.loads(histogram)))
    found: dict[tuple[date, int], Buckets] = {}
    for zone, of_zone in plans.items():
        for day, plan in of_zone.items():
            _mend(found, day, plan, kept, zone)
    return {key: positive for key, buckets in found.items() if (positive := _above_zero(buckets))}


def _mend(
    found: dict[tuple[date, int], Buckets],
    day: date,
    plan: LocalDay,
    kept: dict[tuple[int, datetime, str], list[tuple[int, Buckets]]],
    zone: str,
) -> None:
    parts = [
        (1, (Granularity.DAY.value, plan.day, zone)),
        *((1, (Granularity.HOUR.value, hour, zone)) for hour in plan.more),
        *((-1, (Granularity.HOUR.value, hour, zone)) for hour in plan.less),
    ]
    for sign, key in parts:
        for status, buckets in kept.get(key, ()):
            merge(found.setdefault((day, status), {}), buckets, sign)


def merge(into: Buckets, buckets: Buckets, sign: int = 1) -> None:
    for bucket, number in buckets.items():
        into[bucket] = into.get(bucket, 0) + sign * number


def _above_zero(buckets: Buckets) -> Buckets:
    return {bucket: number for bucket, number in buckets.items() if number}


@dataclass(slots=True)
class Product:
    """A product over the days asked for. `buckets`: how long it took to get ready, microseconds."""

    kitchen: str
    brand: str
    plu: str
    name: str
    orders: int = 0
    buckets: Buckets = field(default_factory=dict)


def products(question: DashboardFilter) -> list[Product]:
    periods = Q()
    for zone, slugs in question.zones.items():
        since, until = question.days.hours(zone)
        for granularity, start, end in period_ranges(since, until):
            periods |= Q(grain=granularity.value, start__gte=start, start__lt=end, kitchen__in=slugs)
    # Also by kitchen: without any, `periods` is empty and would match every row.
    rows = ProductSpan.objects.filter(periods, kitchen__in=question.slugs)
    if question.brand:
        rows = rows.filter(brand=question.brand)
    sql, values = rows.values("kitchen", "brand", "plu", "orders", "histogram").query.sql_with_params()
    found: dict[tuple[str, str, str], Product] = {}
    named = f"""
        SELECT rows.kitchen, rows.brand, rows.plu, named.name, orders, histogram::text
        FROM ({sql}) AS rows LEFT JOIN analytics_product named ON named.brand = rows.brand AND named.plu = rows.plu
    """  # noqa: S608 (only constants are put in)
    for kitchen, brand, plu, name, orders, histogram in _rows(named, values):
        key = (kitchen, brand, plu)
        product = found.setdefault(key, Product(*key, name or plu))
        product.orders += orders
        merge(product.buckets, orjson.loads(histogram))
    return list(found.values())


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
    """`newcomers`: first orders of customers by kitchen and hour, over the trend's days. `mass` is of all brands: who
    clears a wall doesn't ask whose orders they are."""

    newcomers: dict[tuple[str, datetime], int]
    mass: MassMoves


def newcomers_and_mass_moves(question: DashboardFilter, most: int = 5) -> CustomerStats:
    """Both in one statement.

    Who sees all kitchens and chose none sees customers who were new to all of them; kitchen is then that of the zone.
    """
    if question.sees_all and not question.kitchen and question.zones:
        zone, of_zone = next(iter(question.zones.items()))
        slugs, place = [""], {"": of_zone[0]}
        new, new_values = "first_at >= %s AND first_at < %s", list[Any](question.trend.hours(zone))
    else:
        slugs, place = question.slugs, {slug: slug for slug in question.slugs}
        new, new_values = _in_days(question, question.trend, "first_at")
    moved, moved_values = _in_days(question, question.days, "hour")
    sql = f"""
        SELECT kitchen, date_trunc('hour', first_at, 'UTC') AS hour, count(*), NULL FROM analytics_customer
        WHERE kitchen = ANY(%s) AND brand = %s AND ({new}) GROUP BY 1, 2
        UNION ALL
        SELECT kitchen, hour, massed, slots::text FROM analytics_movehour WHERE ({moved}) AND massed > 0
        ORDER BY hour DESC
    """  # noqa: S608 (only constants are put in)
    newcomers: dict[tuple[str, datetime], int] = {}
    total = 0
    found: list[MassMove] = []
    for kitchen, hour, number, slots in _rows(sql, [slugs, question.brand, *new_values, *moved_values]):
        if slots is None:
            newcomers[place[kitchen], hour] = number
            continue
        total += number
        if len(found) < most:
            found += [
                MassMove(kitchen, hour + slot.begins, slot.status, slot.actor, moves)
                for text, moves in orjson.loads(slots).items()
                if moves >= MASS and (slot := Slot.parse(text))
            ]
    found.sort(key=lambda move: move.at, reverse=True)
    return CustomerStats(newcomers, MassMoves(total, found[:most]))


def _in_days(question: DashboardFilter, days: Days, column: str) -> tuple[str, list[Any]]:
    """The condition that a row's kitchen is one of those asked for and its hour lies in its local days."""
    parts, values = [], []
    for zone, slugs in question.zones.items():
        since, until = days.hours(zone)
        parts.append(f"({column} >= %s AND {column} < %s AND kitchen = ANY(%s))")
        values += [since, until, slugs]
    return " OR ".join(parts) or "false", values


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
