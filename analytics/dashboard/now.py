"""What is open and late now: one statement over the open orders and their items."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection

from analytics.dashboard.context import StationLookup
from analytics.dashboard.filters import DashboardFilter
from orders.statuses import OPEN, PREPARING, READY, RECEIVED, UNREADY, in_sql, is_late

_SQL: Final = f"""
SELECT o.id, o.kitchen_id, o.status, o.brand_id, o.channel, o.channel_display_id, o.channel_order_id, o.created_at,
       o.changed_at, o.due_at, (
    SELECT json_agg(json_build_array(item.plu, item.quantity)) FROM orders_orderitem item
    WHERE item.order_id = o.id AND item.status IN {in_sql(UNREADY)} AND o.status IN {in_sql(UNREADY)}
)::text
FROM orders_order o WHERE o.status IN {in_sql(OPEN)} AND o.kitchen_id = ANY(%s) {{brand}} ORDER BY o.due_at, o.id
"""  # noqa: S608
MOST_LATE: Final = 6
NO_STATION: Final = ""


class OpenOrder(NamedTuple):
    id: str
    kitchen: str
    status: int
    brand: str
    channel: str
    display_id: str
    channel_order_id: str
    created_at: datetime
    changed_at: datetime
    due_at: datetime
    # PLU and quantity of each item still to make.
    items: list[tuple[str, int]]

    @property
    def number(self) -> str:
        return self.display_id or self.channel_order_id

    def late_by(self, now: datetime) -> timedelta | None:
        return now - self.due_at if is_late(self, now) else None


@dataclass(slots=True)
class KitchenNow:
    """`later`: orders for later that the wall doesn't show yet. `oldest`: the longest time on the wall of an order to
    make; `waiting`: the longest time an order has been ready."""

    slug: str
    name: str
    received: int = 0
    preparing: int = 0
    ready: int = 0
    later: int = 0
    late: int = 0
    oldest: timedelta | None = None
    waiting: timedelta | None = None

    @property
    def open(self) -> int:
        return self.received + self.preparing + self.ready + self.later


@dataclass(slots=True)
class StationNow:
    """Pieces to make; `name` is empty for those without a station."""

    name: str
    kitchen: str
    pieces: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class LateOrder:
    order: OpenOrder
    by: timedelta
    stations: tuple[str, ...]


@dataclass(slots=True)
class Now:
    kitchens: list[KitchenNow]
    stations: list[StationNow] = field(default_factory=list)
    worst: list[LateOrder] = field(default_factory=list)

    @property
    def total(self) -> KitchenNow:
        total = KitchenNow("", "")
        for name in ("received", "preparing", "ready", "later", "late"):
            setattr(total, name, sum(getattr(each, name) for each in self.kitchens))
        total.oldest = max((each.oldest for each in self.kitchens if each.oldest), default=None)
        total.waiting = max((each.waiting for each in self.kitchens if each.waiting), default=None)
        return total


def read_now(filters: DashboardFilter, stations_of: StationLookup) -> Now:
    kitchens = {kitchen.slug: KitchenNow(kitchen.slug, kitchen.name) for kitchen in filters.kitchens}
    leads = {kitchen.slug: timedelta(minutes=kitchen.release_minutes) for kitchen in filters.kitchens}
    stations: dict[tuple[str, str], StationNow] = {}
    late: list[LateOrder] = []
    for order in _open_orders(filters):
        kitchen, on_wall = kitchens[order.kitchen], max(order.created_at, order.due_at - leads[order.kitchen])
        by = order.late_by(filters.now)
        if order.status == READY:
            kitchen.ready += 1
            kitchen.waiting = _longer(kitchen.waiting, filters.now - order.changed_at)
        elif order.status == RECEIVED and on_wall > filters.now:
            kitchen.later += 1
            continue
        else:
            kitchen.received += order.status == RECEIVED
            kitchen.preparing += order.status == PREPARING
            kitchen.late += by is not None
            kitchen.oldest = _longer(kitchen.oldest, filters.now - on_wall)
        pieces = _pieces(order, stations_of)
        for name, quantity in pieces.items():
            station = stations.setdefault((order.kitchen, name), StationNow(name, kitchen.name))
            station.pieces += quantity
            station.late += quantity if by is not None else 0
        if by is not None:
            late.append(LateOrder(order, by, tuple(name for name in pieces if name)))
    late.sort(key=lambda each: -each.by)
    by_name = sorted(stations.values(), key=lambda each: (-each.late, -each.pieces, each.kitchen, each.name))
    return Now(list(kitchens.values()), by_name, late[:MOST_LATE])


def _longer(one: timedelta | None, other: timedelta) -> timedelta:
    return other if one is None else max(one, other)


def _pieces(order: OpenOrder, stations_of: StationLookup) -> dict[str, int]:
    """Pieces to make by station; an item of several stations counts for each."""
    pieces: defaultdict[str, int] = defaultdict(int)
    for plu, quantity in order.items:
        for name in stations_of(order.kitchen, plu) or (NO_STATION,):
            pieces[name] += quantity
    return pieces


def _open_orders(filters: DashboardFilter) -> Iterable[OpenOrder]:
    brand = "AND o.brand_id = %s" if filters.brand else ""
    values: list[Any] = [filters.slugs, *([filters.brand] if filters.brand else [])]
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(brand=brand), values)
        rows = cursor.fetchall()
    return [OpenOrder._make((*row[:-1], orjson.loads(row[-1] or "[]"))) for row in rows]
