"""Orders as they were right after one of their changes, made from the history: three statements, however many."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orders.models import Order, OrderItem, StatusChange
from orders.statuses import ITEM_NAMES, KIND_NAMES, ORDER_NAMES

type Document = dict[str, Any]


_HISTORY = (
    "order_id", "sequence", "plu", "from_status", "to_status", "kind", "change", "recalls", "at", "recorded_at",
    "actor", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderThen:
    """An order right after the change to which the history row `row` belongs: statuses of the order and, by PLU, of
    its items. All else (`order`, `items`) is as it is now."""

    order: Order
    items: list[OrderItem]
    row: Any  # of StatusChange, as a named tuple
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

    def order_document(self, *, customer: bool) -> Document:
        """The order; only with `customer` what people wrote in it and who they are."""
        order = self.order
        document: Document = {
            "id": order.id,
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

    def _item(self, item: OrderItem, customer: bool) -> Document:
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


def orders_then(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], OrderThen]:
    """By order and sequence, right after the change of that row. What is not there (any more) is left out."""
    keys = set(wanted)
    ids = sorted({order_id for order_id, _ in keys})
    orders = Order.objects.in_bulk(ids)
    items: defaultdict[str, list[OrderItem]] = defaultdict(list)
    for item in OrderItem.objects.filter(order_id__in=ids).order_by("order_id", "position"):
        items[item.order_id].append(item)
    logs: defaultdict[str, list[Any]] = defaultdict(list)
    # Tuples: instances of models would take most of the time that a delivery costs.
    history = StatusChange.objects.filter(order_id__in=ids).order_by("order_id", "sequence")
    for row in history.values_list(*_HISTORY, named=True):
        logs[row.order_id].append(row)
    found = {}
    for order_id, sequence in keys:
        for row in logs[order_id]:
            if row.sequence == sequence and order_id in orders:
                found[order_id, sequence] = _then(orders[order_id], items[order_id], logs[order_id], row)
    return found


def _then(order: Order, items: list[OrderItem], log: list[Any], row: Any) -> OrderThen:
    status, of_items = row.to_status, dict[str, int]()
    for past in log:
        # A change is one action: all its rows belong together.
        if past.change > row.change:
            break
        if past.plu is None:
            status = past.to_status
        else:
            of_items[past.plu] = past.to_status
    return OrderThen(order, items, row, status, of_items)
