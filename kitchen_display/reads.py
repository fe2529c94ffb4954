"""The statements behind every board. Their cost is that of the open orders, whatever else the tables hold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection

from kitchen_display.models.wall import STANDING
from orders.statuses import OPEN, in_sql

_COLUMNS: Final = """id, version, status, brand_id, channel, channel_order_id, channel_display_id, note,
  created_at, due_at, changed_at"""
# The statuses stand in the statement itself, so that the planner sees that the index of open orders holds them.
_OPEN: Final = f"SELECT {_COLUMNS} FROM orders_order WHERE kitchen_id = %s AND status IN {in_sql(OPEN)}"  # noqa: S608
_ENDED: Final = f"""
UNION ALL SELECT {_COLUMNS} FROM orders_order
WHERE id = ANY(%s) AND kitchen_id = %s AND status NOT IN {in_sql(OPEN)}"""  # noqa: S608
_ITEMS: Final = """
SELECT order_id, plu, name, quantity, status, note, modifiers, allergens FROM orders_orderitem
WHERE order_id = ANY(%s) ORDER BY order_id, position"""
_WALL: Final = f"""
SELECT order_id, number, NULL, NULL::jsonb FROM kitchen_display_ticketnumber WHERE kitchen_id = %s
UNION ALL
SELECT order_id, NULL, plu, NULL FROM kitchen_display_alarm WHERE kitchen_id = %s AND {STANDING}
UNION ALL
SELECT order_id, NULL, plu, before FROM kitchen_display_amendmentalarm
WHERE kitchen_id = %s AND {STANDING}
UNION ALL
SELECT mode || ' ' || busy_minutes, NULL, NULL, NULL FROM orders_kitchenpace
WHERE kitchen_id = %s AND mode <> 'online'"""  # noqa: S608


class BoardItem(NamedTuple):
    """An item of an order. Modifiers and allergens are for `from_json`."""

    order_id: str
    plu: str
    name: str
    quantity: int
    status: int
    note: str
    modifiers: Any
    allergens: Any


class OpenOrder(NamedTuple):
    """An order that a board may show. Times are UTC."""

    id: str
    version: int
    status: int
    brand_id: str
    channel: str
    channel_order_id: str
    channel_display_id: str
    note: str
    created_at: datetime
    due_at: datetime
    changed_at: datetime

    @property
    def display(self) -> str:
        return display_number(self.channel_display_id, self.channel_order_id)


class WallState(NamedTuple):
    """What the walls of a kitchen remember of its orders, and the kitchen's pace.

    `numbers`: ticket numbers, by order. `cancelled`: standing alarms, order → PLUs ("" is the order itself).
    `amended`: standing alarms of amendments, order → PLU → field → value before; due times are datetimes.
    `busy_minutes`: by how many it is late where it is busy.
    """

    numbers: dict[str, int]
    cancelled: dict[str, set[str]]
    amended: dict[str, dict[str, dict[str, Any]]]
    pace: str
    busy_minutes: int


def display_number(channel_display_id: str, channel_order_id: str) -> str:
    """What a courier says: the channel's own number, else the last four characters of its order id."""
    return channel_display_id or channel_order_id[-4:]


def read_wall(kitchen: str) -> WallState:
    pace, busy_minutes = "online", 0
    numbers: dict[str, int] = {}
    cancelled: defaultdict[str, set[str]] = defaultdict(set)
    amended: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for order_id, number, plu, before in _rows(_WALL, [kitchen] * 4):
        if number is not None:
            numbers[order_id] = number
        elif before is not None:
            values = amended[order_id][plu] = from_json(before)
            if "due_at" in values:
                values["due_at"] = datetime.fromisoformat(values["due_at"])
        elif plu is not None:
            cancelled[order_id].add(plu)
        else:
            pace, _space, minutes = order_id.partition(" ")
            busy_minutes = int(minutes)
    return WallState(numbers, dict(cancelled), dict(amended), pace, busy_minutes)


def open_orders(kitchen: str, alarmed: Iterable[str] = ()) -> list[OpenOrder]:
    """The kitchen's open orders, and those of `alarmed` that have ended, most urgent first."""
    ended = list(alarmed)
    sql = _OPEN + _ENDED if ended else _OPEN
    parameters: list[Any] = [kitchen, ended, kitchen] if ended else [kitchen]
    return [OpenOrder._make(row) for row in _rows(f"{sql} ORDER BY due_at, id", parameters)]


def board_items(order_ids: list[str]) -> dict[str, list[BoardItem]]:
    items: defaultdict[str, list[BoardItem]] = defaultdict(list)
    for item in map(BoardItem._make, _rows(_ITEMS, [order_ids]) if order_ids else ()):
        items[item.order_id].append(item)
    return items


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def from_json(value: Any) -> Any:
    """JSON arrives as text or decoded, depending on the driver's set-up. Empty for NULL."""
    if value is None or value == "[]":
        return ()
    return orjson.loads(value) if isinstance(value, str | bytes) else value
