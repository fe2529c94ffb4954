"""Sums what rows of the history contribute, and adds the sums to the rollup tables."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime
from itertools import product
from operator import add
from types import MappingProxyType
from typing import Any

import orjson
from django.db import connection

from analytics.granularity import Granularity, start_of
from analytics.histogram import bucket_of
from analytics.rules import MASS, Row, Throughput, slot_of


@dataclass(slots=True)
class _Times:
    """Durations: how many, their sum, their histogram."""

    count: int = 0
    micros: int = 0
    histogram: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, micros: int) -> None:
        self.count += 1
        self.micros += micros
        self.histogram[bucket_of(micros)] += 1

    def merge(self, other: "_Times") -> None:
        self.count += other.count
        self.micros += other.micros
        for bucket, count in other.histogram.items():
            self.histogram[bucket] += count

    def values(self) -> tuple[int, int, str]:
        return self.count, self.micros, orjson.dumps(self.histogram, option=orjson.OPT_NON_STR_KEYS).decode()


@dataclass(slots=True)
class _Sales:
    """Sales of a product: how many orders have it, and how long it took."""

    orders: int = 0
    times: _Times = field(default_factory=_Times)

    def merge(self, other: "_Sales") -> None:
        self.orders += other.orders
        self.times.merge(other.times)

    def values(self) -> tuple[int, int, int, str]:
        return self.orders, *self.times.values()


@dataclass(slots=True)
class _Visits:
    """Orders of an account: how many, the first, the last."""

    first: datetime
    last: datetime
    orders: int = 0

    def add(self, at: datetime) -> None:
        self.orders += 1
        self.first, self.last = min(self.first, at), max(self.last, at)

    def values(self) -> tuple[int, datetime, datetime]:
        return self.orders, self.first, self.last


class Rollups:
    """The sums of some rows in memory; `store` adds them to the tables."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        # By hour of the end, kitchen, brand and status; those of items by hour, PLU, kitchen, brand and status.
        self.order_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        self.item_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        self.throughput: defaultdict[tuple[Any, ...], Throughput] = defaultdict(Throughput)
        self.customers: dict[tuple[Any, ...], _Visits] = {}
        self.customer_hours: dict[tuple[Any, ...], _Visits] = {}
        # By brand and PLU: when it was ordered, the order's id, the name.
        self.names: dict[tuple[str, str], tuple[datetime, str, str]] = {}
        # By hour, kitchen, brand and PLU.
        self.sales: defaultdict[tuple[Any, ...], _Sales] = defaultdict(_Sales)
        # By hour and kitchen.
        self.moves: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        event = row.event
        created = start_of(Granularity.HOUR, row.created_at)
        self.throughput[created, row.kitchen, row.brand, row.channel].add(row)
        if event.sequence == 1:
            self._add_customer(row, created)
        happened = start_of(Granularity.HOUR, event.at)
        if event.plu is not None:
            self._add_item(row, event.plu, created, happened)
        slot = slot_of(event)
        if slot is not None:
            self.moves[happened, row.kitchen][str(slot)] += 1
        micros = row.micros_in_status()
        if micros is None:
            return
        if event.plu is None:
            self.order_times[happened, row.kitchen, row.brand, event.from_status].add(micros)
        else:
            self.item_times[happened, event.plu, row.kitchen, row.brand, event.from_status].add(micros)

    def _add_item(self, row: Row, plu: str, created: datetime, happened: datetime) -> None:
        if row.event.from_status is None:
            self.sales[created, row.kitchen, row.brand, plu].orders += 1
            if row.name is not None:
                key, name = (row.brand, plu), (row.created_at, row.event.order_id, row.name)
                self.names[key] = max(self.names.get(key, name), name)
        micros = row.micros_to_ready()
        if micros is not None:
            self.sales[happened, row.kitchen, row.brand, plu].times.add(micros)

    def _add_customer(self, row: Row, created: datetime) -> None:
        at = row.created_at
        for place in product((row.kitchen, ""), (row.brand, "")):
            self.customers.setdefault((*place, row.account), _Visits(at, at)).add(at)
        hour = (created, row.kitchen, row.brand, row.account)
        self.customer_hours.setdefault(hour, _Visits(at, at)).add(at)

    def store(self) -> None:
        """Add the sums to the tables, one statement each. Call it inside a transaction."""
        order_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        for (hour, kitchen, brand, status), times in self.order_times.items():
            for granularity, start in _periods(hour):
                for place in levels(kitchen, brand):
                    order_times[granularity, start, *place, status].merge(times)
        item_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        for (hour, plu, kitchen, brand, status), times in self.item_times.items():
            for granularity, start in _periods(hour):
                item_times[plu, granularity, start, kitchen, brand, status].merge(times)
                for place in levels(kitchen, brand):
                    item_times["", granularity, start, *place, status].merge(times)
        sales: defaultdict[tuple[Any, ...], _Sales] = defaultdict(_Sales)
        for (hour, *rest), sales_of_hour in self.sales.items():
            for granularity in SALES_GRANULARITIES:
                sales[granularity.value, start_of(granularity, hour), *rest].merge(sales_of_hour)
        _ORDER_TIMES.add((*key, *times.values()) for key, times in order_times.items())
        _ITEM_TIMES.add((*key, *times.values()) for key, times in item_times.items())
        throughput: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(THROUGHPUT))
        for (hour, kitchen, brand, channel), sums in self.throughput.items():
            for key in ((hour, kitchen, brand, channel), (hour, kitchen, "", "")):
                throughput[key] = list(map(add, throughput[key], astuple(sums)))
        _THROUGHPUT.add((*key, *sums) for key, sums in throughput.items())
        _CUSTOMERS.add((*key, *visits.values()) for key, visits in self.customers.items())
        _CUSTOMER_HOURS.add((*key, *visits.values()) for key, visits in self.customer_hours.items())
        months: Counter[tuple[Any, ...]] = Counter()
        for (hour, *_place, account), visits in self.customer_hours.items():
            months[start_of(Granularity.MONTH, hour), account] += visits.orders
        _CUSTOMER_MONTHS.add((*key, orders) for key, orders in months.items())
        _SALES.add((*key, *each.values()) for key, each in sales.items())
        _NAMES.add((*key, *name) for key, name in self.names.items())
        _MOVES.add((*key, *_moves(slots)) for key, slots in self.moves.items())


def levels(kitchen: str, brand: str) -> tuple[tuple[str, str], ...]:
    """Kitchen and brand of the rows that count a time in status: its brand, its kitchen, all (empty)."""
    return (kitchen, brand), (kitchen, ""), ("", "")


def _periods(hour: datetime) -> list[tuple[int, datetime]]:
    return [(granularity.value, start_of(granularity, hour)) for granularity in Granularity]


THROUGHPUT = Throughput.__slots__
SALES_GRANULARITIES = (Granularity.HOUR, Granularity.DAY, Granularity.MONTH)


def _moves(slots: Counter[str]) -> tuple[str, int]:
    return orjson.dumps(slots).decode(), sum(number for number in slots.values() if number >= MASS)


class _Upsert:
    """Inserts rows into a table, or adds their values to those of the stored row with the same keys.

    `keys` and `values` map columns to their types. `sums`: SQL for values that are not simply added by type.
    """

    def __init__(
        self,
        table: str,
        keys: dict[str, str],
        values: dict[str, str],
        sums: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        columns = keys | values
        names = ", ".join(columns)
        arrays = ", ".join("%s::" + kind.replace("jsonb", "text") + "[]" for kind in columns.values())
        casts = ", ".join(f"{name}::{kind}" for name, kind in columns.items())
        updates = ", ".join(
            f"{name} = {sums.get(name) or _sum_of(name, kind)}" for name, kind in values.items()
        )
        self.sql = f"""
            INSERT INTO {table} AS stored ({names})
            SELECT {casts} FROM unnest({arrays}) AS new ({names})
            ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {updates}
        """  # noqa: S608 (only constants are put in)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        columns: Sequence[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        if columns:
            with connection.cursor() as cursor:
                cursor.execute(self.sql, columns)


def _merged(name: str) -> str:
    """The key and value pairs of two JSON objects added by key."""
    return f"""(
        SELECT key, sum(number::bigint) AS total FROM (
            SELECT * FROM jsonb_each_text(stored.{name})
            UNION ALL SELECT * FROM jsonb_each_text(EXCLUDED.{name})
        ) AS each (key, number) GROUP BY key
    ) AS sums"""  # noqa: S608 (only constants are put in)


def _sum_of(name: str, kind: str) -> str:
    if name == "first_at":
        return "least(stored.first_at, EXCLUDED.first_at)"
    if name == "last_at":
        return "greatest(stored.last_at, EXCLUDED.last_at)"
    if kind == "jsonb":
        return f"(SELECT coalesce(jsonb_object_agg(key, total), '{{}}') FROM {_merged(name)})"  # noqa: S608 (only constants are put in)
    return f"stored.{name} + EXCLUDED.{name}"


_PERIOD = {
    "grain": "smallint",
    "start": "timestamptz",
    "kitchen": "text",
    "brand": "text",
    "status": "smallint",
}
_TIMES = {"count": "bigint", "micros": "bigint", "histogram": "jsonb"}
_VISITS = {"orders": "bigint", "first_at": "timestamptz", "last_at": "timestamptz"}
_ORDER_TIMES = _Upsert("analytics_orderduration", _PERIOD, _TIMES)
_ITEM_TIMES = _Upsert("analytics_itemduration", {"plu": "text", **_PERIOD}, _TIMES)
_THROUGHPUT = _Upsert(
    "analytics_hourlythroughput",
    {"hour": "timestamptz", "kitchen": "text", "brand": "text", "channel": "text"},
    dict.fromkeys(THROUGHPUT, "bigint"),
)
_CUSTOMERS = _Upsert("analytics_customer", {"kitchen": "text", "brand": "text", "account": "text"}, _VISITS)
_CUSTOMER_HOURS = _Upsert(
    "analytics_customerhour",
    {"hour": "timestamptz", "kitchen": "text", "brand": "text", "account": "text"},
    _VISITS,
)
_CUSTOMER_MONTHS = _Upsert(
    "analytics_customermonth", {"month": "timestamptz", "account": "text"}, {"orders": "bigint"}
)
_SALES = _Upsert(
    "analytics_productspan",
    {"grain": "smallint", "start": "timestamptz", "kitchen": "text", "brand": "text", "plu": "text"},
    {"orders": "bigint", **_TIMES},
)
_LATER = '(EXCLUDED.named_at, EXCLUDED."order") > (stored.named_at, stored."order")'
_NAMES = _Upsert(
    "analytics_product",
    {"brand": "text", "plu": "text"},
    {"named_at": "timestamptz", '"order"': "text", "name": "text"},
    {
        name: f"CASE WHEN {_LATER} THEN EXCLUDED.{name} ELSE stored.{name} END"
        for name in ("named_at", '"order"', "name")
    },
)
_MOVES = _Upsert(
    "analytics_movehour",
    {"hour": "timestamptz", "kitchen": "text"},
    {"slots": "jsonb", "massed": "bigint"},
    {"massed": f"(SELECT coalesce(sum(total) FILTER (WHERE total >= {MASS}), 0) FROM {_merged('slots')})"},  # noqa: S608
)
