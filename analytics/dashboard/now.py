"""What is open and late at this moment: one statement over the open orders and their items, whatever was ever sold."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection

from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.stations import Makers
from orders.statuses import FIRST, PREPARING, READY

# The statuses stand in the statement itself, so that the planner sees that the index of open orders holds them.
_SQL: Final = """
SELECT o.id, o.kitchen_id, o.status, o.brand_id, o.channel, o.channel_display_id, o.channel_order_id, o.created_at,
       o.changed_at, o.due_at, (
    SELECT json_agg(json_build_array(item.plu, item.quantity)) FROM orders_orderitem item
    WHERE item.order_id = o.id AND item.status IN (1, 2) AND o.status IN (1, 2)
)::text
FROM orders_order o WHERE o.status IN (1, 2, 3) AND o.kitchen_id = ANY(%s) {brand} ORDER BY o.due_at, o.id
"""
MOST_LATE: Final = 6
NONE: Final = ""


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
    # PLU and quantity of what is still to make.
    items: list[tuple[str, int]]

    @property
    def number(self) -> str:
        return self.display_id or self.channel_order_id

    def late_by(self, now: datetime) -> timedelta | None:
        return now - self.due_at if self.status < READY and self.due_at < now else None


@dataclass(slots=True)
class KitchenNow:
    """`later`: orders for later that the wall doesn't show yet. `oldest`: the longest that one to be made is on the
    wall; `waiting`: the longest that one is ready."""

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
    """Pieces to make; `name` is empty for those that no station claims."""

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
        found = KitchenNow("", "")
        for name in ("received", "preparing", "ready", "later", "late"):
            setattr(found, name, sum(getattr(each, name) for each in self.kitchens))
        found.oldest = max((each.oldest for each in self.kitchens if each.oldest), default=None)
        found.waiting = max((each.waiting for each in self.kitchens if each.waiting), default=None)
        return found


def read_now(question: DashboardFilter, makers: Makers) -> Now:
    kitchens = {kitchen.slug: KitchenNow(kitchen.slug, kitchen.name) for kitchen in question.kitchens}
    leads = {kitchen.slug: timedelta(minutes=kitchen.release_minutes) for kitchen in question.kitchens}
    stations: dict[tuple[str, str], StationNow] = {}
    late: list[LateOrder] = []
    for order in _open_orders(question):
        place, on_wall = kitchens[order.kitchen], max(order.created_at, order.due_at - leads[order.kitchen])
        by = order.late_by(question.now)
        if order.status == READY:
            place.ready += 1
            place.waiting = _longer(place.waiting, question.now - order.changed_at)
        elif order.status == FIRST and on_wall > question.now:
            place.later += 1
            continue
        else:
            place.received += order.status == FIRST
            place.preparing += order.status == PREPARING
            place.late += by is not None
            place.oldest = _longer(place.oldest, question.now - on_wall)
        owing = _owing(order, makers)
        for name, quantity in owing.items():
            station = stations.setdefault((order.kitchen, name), StationNow(name, place.name))
            station.pieces += quantity
            station.late += quantity if by is not None else 0
        if by is not None:
            late.append(LateOrder(order, by, tuple(name for name in owing if name)))
    late.sort(key=lambda each: -each.by)
    by_name = sorted(stations.values(), key=lambda each: (-each.late, -each.pieces, each.kitchen, each.name))
    return Now(list(kitchens.values()), by_name, late[:MOST_LATE])


def _longer(one: timedelta | None, other: timedelta) -> timedelta:
    return other if one is None else max(one, other)


def _owing(order: OpenOrder, makers: Makers) -> dict[str, int]:
    """Pieces by station; an item that several stations claim is owed by each of them."""
    found: defaultdict[str, int] = defaultdict(int)
    for plu, quantity in order.items:
        for name in makers(order.kitchen, plu) or (NONE,):
            found[name] += quantity
    return found


def _open_orders(question: DashboardFilter) -> Iterable[OpenOrder]:
    brand = "AND o.brand_id = %s" if question.brand else ""
    values: list[Any] = [question.slugs, *([question.brand] if question.brand else [])]
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(brand=brand), values)
        rows = cursor.fetchall()
    return [OpenOrder._make((*row[:-1], orjson.loads(row[-1] or "[]"))) for row in rows]
