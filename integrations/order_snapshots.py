"""Orders as they were right after one of their changes, made from the history: three statements, however many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection

from orders.ids import public_id
from orders.models import Order
from orders.statements import ItemRow, items_by_order, orders_by_id, without_prepared_statements
from orders.statuses import ITEM_NAMES, KIND_NAMES, ORDER_NAMES

type Document = dict[str, Any]


class HistoryRow(NamedTuple):
    """A row of the history. An instance of the model would take most of the time that a delivery costs."""

    order_id: str
    sequence: int
    plu: str | None
    from_status: int | None
    to_status: int
    kind: int
    change: int
    recalls: int | None
    at: datetime
    recorded_at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderThen:
    """An order right after the change to which the history row `row` belongs: statuses of the order and, by PLU, of
    its items. All else (`order`, `items`) is as it is now."""

    order: Order
    items: list[ItemRow]
    row: HistoryRow
    status: int
    item_statuses: dict[str, int]

    def change_document(self) -> Document:
        """What has changed."""
        row = self.row
        names = ORDER_NAMES if row.plu is None else ITEM_NAMES
        return {
            "plu": row.plu,
            "from": None if row.from_status is None else names[row.from_status],
            "to": names[row.to_status],
            "kind": KIND_NAMES[row.kind],
            "change": row.change,
            "recalls": row.recalls,
            "at": row.at,
            "recordedAt": row.recorded_at,
            "actor": row.actor,
            "reason": row.reason,
        }

    def order_document(self, *, customer: bool, kitchen: str | None) -> Document:
        """The order; only with `customer` what people wrote in it and who they are. `kitchen`: whose keys its id is
        for; None: those for all."""
        order = self.order
        document: Document = {
            "id": public_id(order.id, kitchen),
            "createdAt": order.created_at,
            "updatedAt": self.row.recorded_at,
            "kitchen": order.kitchen_id,
            "brandId": order.brand_id,
            "channel": order.channel,
            "channelOrderId": order.channel_order_id,
            "channelOrderDisplayId": order.channel_display_id,
            "pickupTime": order.pickup_time,
            "dueAt": order.due_at,
            "currency": order.currency,
            "status": ORDER_NAMES[self.status],
            "version": self.row.change,
            "items": [self._item(item, customer) for item in self.items],
        }
        if customer:
            document |= {
                "account": order.account,
                "customer": {"name": order.customer_name, "phoneNumber": order.customer_phone},
                "deliveryAddress": order.delivery_address,
                "note": order.note,
            }
        return document

    def _item(self, item: ItemRow, customer: bool) -> Document:
        document: Document = {
            "plu": item.plu,
            "name": item.name,
            "quantity": item.quantity,
            "status": ITEM_NAMES[self.item_statuses.get(item.plu, item.status)],
            "position": item.position,
            "modifiers": item.modifiers,
            "allergens": item.allergens,
            "price": item.price,
        }
        if customer:
            document["note"] = item.note
        return document


# With each row the statuses up to its change, by PLU; the order's own by none. A later one overwrites an earlier one.
# Told by PostgreSQL, because to read the whole history of each order takes longer than all else about a delivery.
_READ = f"""
    SELECT {", ".join(f"c.{column}" for column in HistoryRow._fields)}, (
        SELECT json_object_agg(coalesce(past.plu, ''), past.to_status ORDER BY past.sequence)::text
        FROM orders_statuschange past WHERE past.order_id = c.order_id AND past.change <= c.change
    )
    FROM unnest(%s::text[], %s::int[]) AS wanted (order_id, sequence)
    JOIN orders_statuschange c ON c.order_id = wanted.order_id AND c.sequence = wanted.sequence
"""  # noqa: S608  (names of ours)


def orders_then(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], OrderThen]:
    """By order and sequence, right after the change of that row. What is not there (any more) is left out."""
    keys = sorted(set(wanted))
    if not keys:
        return {}
    ids = sorted({order_id for order_id, _ in keys})
    with without_prepared_statements():
        orders, items = orders_by_id(ids), items_by_order(ids)
        with connection.cursor() as cursor:
            cursor.execute(_READ, [[order_id for order_id, _ in keys], [sequence for _, sequence in keys]])
            rows = cursor.fetchall()
    found = {}
    for *columns, statuses in rows:
        row = HistoryRow(*columns)
        if row.order_id in orders:
            of_items = orjson.loads(statuses)
            status = of_items.pop("", row.to_status)
            found[row.order_id, row.sequence] = OrderThen(
                orders[row.order_id], items[row.order_id], row, status, of_items
            )
    return found
