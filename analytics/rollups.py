"""Adding up what rows of the history contribute, and adding that to the rollup tables."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from analytics.grains import Grain, start_of
from analytics.histogram import bucket_of
from analytics.rules import Row, Throughput


@dataclass(slots=True)
class _Times:
    """Times in a status: how many, their sum, their histogram."""

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
class _Visits:
    """Orders of a customer: how many, the first, the last."""

    first: datetime
    last: datetime
    orders: int = 0

    def add(self, at: datetime) -> None:
        self.orders += 1
        self.first, self.last = min(self.first, at), max(self.last, at)

    def values(self) -> tuple[int, datetime, datetime]:
        return self.orders, self.first, self.last


class Rollups:
    """The sums of some rows, in memory, until `store` adds them to the tables."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        # By hour closed, kitchen, brand and status; those of items by PLU before the status.
        self.order_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        self.item_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        self.throughput: defaultdict[tuple[Any, ...], Throughput] = defaultdict(Throughput)
        self.customers: dict[tuple[Any, ...], _Visits] = {}
        self.customer_hours: dict[tuple[Any, ...], _Visits] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        event = row.event
        created = start_of(Grain.HOUR, row.created_at)
        self.throughput[created, row.kitchen, row.brand, row.channel].add(row)
        if event.sequence == 1:
            self._add_customer(row, created)
        micros = row.micros_in_status()
        if micros is None:
            return
        closed = start_of(Grain.HOUR, event.at)
        if event.plu is None:
            self.order_times[closed, row.kitchen, row.brand, event.from_status].add(micros)
        else:
            self.item_times[closed, event.plu, row.kitchen, row.brand, event.from_status].add(micros)

    def _add_customer(self, row: Row, created: datetime) -> None:
        at = row.created_at
        for kitchen in (row.kitchen, ""):
            for brand in (row.brand, ""):
                self.customers.setdefault((kitchen, brand, row.account), _Visits(at, at)).add(at)
        hour = (created, row.kitchen, row.brand, row.account)
        self.customer_hours.setdefault(hour, _Visits(at, at)).add(at)

    def store(self) -> None:
        """Add the sums to the tables, one statement for each; call it inside a transaction."""
        order_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        for (hour, *rest), times in self.order_times.items():
            for grain in Grain:
                order_times[grain.value, start_of(grain, hour), *rest].merge(times)
        item_times: defaultdict[tuple[Any, ...], _Times] = defaultdict(_Times)
        for (hour, plu, *rest), times in self.item_times.items():
            for grain in Grain:
                start = start_of(grain, hour)
                item_times[plu, grain.value, start, *rest].merge(times)
                item_times["", grain.value, start, *rest].merge(times)
        _ORDER_TIMES.add((*key, *times.values()) for key, times in order_times.items())
        _ITEM_TIMES.add((*key, *times.values()) for key, times in item_times.items())
        _THROUGHPUT.add((*key, *astuple(sums)) for key, sums in self.throughput.items())
        _CUSTOMERS.add((*key, *visits.values()) for key, visits in self.customers.items())
        _CUSTOMER_HOURS.add((*key, *visits.values()) for key, visits in self.customer_hours.items())


class _Upsert:
    """Adds rows to a table: new keys are inserted, to those that are there the values are added.

    `keys` and `values` map columns to their types; a value is added in the way its type is.
    """

    def __init__(self, table: str, keys: dict[str, str], values: dict[str, str]) -> None:
        columns = keys | values
        names = ", ".join(columns)
        given = ", ".join("%s::" + kind.replace("jsonb", "text") + "[]" for kind in columns.values())
        picked = ", ".join(f"{name}::{kind}" for name, kind in columns.items())
        added = ", ".join(f"{name} = {_sum_of(name, kind)}" for name, kind in values.items())
        self.sql = f"""
            INSERT INTO {table} AS kept ({names})
            SELECT {picked} FROM unnest({given}) AS new ({names})
            ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {added}
        """  # noqa: S608 (only constants are put in)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        columns: Sequence[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        if columns:
            with connection.cursor() as cursor:
                cursor.execute(self.sql, columns)


def _sum_of(name: str, kind: str) -> str:
    if name == "first_at":
        return "least(kept.first_at, EXCLUDED.first_at)"
    if name == "last_at":
        return "greatest(kept.last_at, EXCLUDED.last_at)"
    if kind == "jsonb":
        return f"""(
            SELECT jsonb_object_agg(bucket, total) FROM (
                SELECT bucket, sum(number::bigint) AS total FROM (
                    SELECT * FROM jsonb_each_text(kept.{name})
                    UNION ALL SELECT * FROM jsonb_each_text(EXCLUDED.{name})
                ) AS each (bucket, number) GROUP BY bucket
            ) AS sums
        )"""  # noqa: S608 (only constants are put in)
    return f"kept.{name} + EXCLUDED.{name}"


_SPAN = {
    "grain": "smallint",
    "start": "timestamptz",
    "kitchen": "text",
    "brand": "text",
    "status": "smallint",
}
_TIMES = {"count": "bigint", "micros": "bigint", "histogram": "jsonb"}
_VISITS = {"orders": "bigint", "first_at": "timestamptz", "last_at": "timestamptz"}
_ORDER_TIMES = _Upsert("analytics_orderduration", _SPAN, _TIMES)
_ITEM_TIMES = _Upsert("analytics_itemduration", {"plu": "text", **_SPAN}, _TIMES)
_THROUGHPUT = _Upsert(
    "analytics_hourlythroughput",
    {"hour": "timestamptz", "kitchen": "text", "brand": "text", "channel": "text"},
    dict.fromkeys(Throughput.__slots__, "bigint"),
)
_CUSTOMERS = _Upsert("analytics_customer", {"kitchen": "text", "brand": "text", "account": "text"}, _VISITS)
_CUSTOMER_HOURS = _Upsert(
    "analytics_customerhour",
    {"hour": "timestamptz", "kitchen": "text", "brand": "text", "account": "text"},
    _VISITS,
)
