"""Orders as plain data for the API: no serializer tree, because a list of 50 orders is some 800 rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from core.api import Grant
from orders.feed import Cursor
from orders.ids import public_id
from orders.models import AnyEntry, HistoryEntry, Order, OrderItem
from orders.models.orders import FREE_TEXT
from orders.statements import ItemRow, history_by_order, items_by_order
from orders.statuses import ITEM_NAMES, KIND_NAMES, ORDER_NAMES

type Document = dict[str, Any]
# Where it is read only, either will do.
type AnyItem = OrderItem | ItemRow

# Who a customer is: only for readers who may see customers. Notes are for all readers, because cooks and channels need
# them; webhooks without customers' data leave out notes too.
CUSTOMER_FIELDS: Final = ("customer", "deliveryAddress")


@dataclass(frozen=True, slots=True)
class _Everything:
    kitchen: str | None = None
    sees_customers: bool = True


# A reader who may see all there is, such as the order's customer.
EVERYTHING: Final[Grant] = _Everything()


def order_documents(orders: Sequence[Order], reader: Grant) -> list[Document]:
    """Whole orders with their items and both histories; two statements, however many orders."""
    ids = [order.id for order in orders]
    items, history = items_by_order(ids), history_by_order(ids)
    return [_document(order, items[order.id], history[order.id], reader) for order in orders]


def order_document(order: Order, reader: Grant) -> Document:
    """One whole order. What a service has loaded already (`loaded_items`, `loaded_history`) is not read again."""
    loaded = vars(order)
    items = order.loaded_items if "loaded_items" in loaded else items_by_order([order.id])[order.id]
    history = order.loaded_history if "loaded_history" in loaded else history_by_order([order.id])[order.id]
    return _document(order, items, history, reader)


def without_customers(body: bytes) -> bytes:
    """An answer as `_document` would give it to who may not see customers; what is no order stays as it is."""
    if not any(f'"{name}"'.encode() in body for name in CUSTOMER_FIELDS):
        return body
    document = orjson.loads(body)
    if isinstance(document, dict):
        for name in CUSTOMER_FIELDS:
            document.pop(name, None)
    return orjson.dumps(document)


def item_document(order: Order, item: OrderItem) -> Document:
    """One item with its history; one statement."""
    history = history_by_order([order.id])[order.id]
    return _item(item, [_entry(entry, ITEM_NAMES) for entry in history if entry.plu == item.plu])


def event_document(entry: HistoryEntry, reader: Grant) -> Document:
    """An entry of the change feed."""
    return {
        "cursor": Cursor.of(entry).for_clients(),
        "orderId": public_id(entry.order_id, reader.kitchen),
        "sequence": entry.sequence,
        **change_document(entry),
    }


def change_document(entry: AnyEntry) -> Document:
    """What an entry says has changed, for events and webhooks."""
    names = ORDER_NAMES if entry.plu is None else ITEM_NAMES
    return {
        "plu": entry.plu,
        "from": None if entry.from_status is None else names[entry.from_status],
        "to": names[entry.to_status],
        "kind": KIND_NAMES[entry.kind],
        "change": entry.change,
        "recalls": entry.recalls,
        "at": entry.at,
        "recordedAt": entry.recorded_at,
        "actor": entry.actor,
        "reason": entry.reason,
    }


# What a webhook shows of an order, in this order: without histories, and the customer's data last.
_SNAPSHOT: Final = (
    "id", "createdAt", "updatedAt", "kitchen", "brandId", "channel", "channelOrderId", "channelOrderDisplayId",
    "pickupTime", "dueAt", "currency", "status", "version", "items",
)  # fmt: skip
_SNAPSHOT_CUSTOMER: Final = ("account", "customer", "deliveryAddress", *FREE_TEXT)
_SNAPSHOT_ITEM: Final = ("plu", "name", "quantity", "status", "position", "modifiers", "allergens", "price")


def snapshot_document(
    order: Order,
    items: Iterable[AnyItem],
    status: int,
    entry: HistoryEntry,
    *,
    customer: bool,
    kitchen: str | None,
) -> Document:
    """An order right after the change of `entry`, when it had `status` and its items those of `items`.

    Only with `customer` what people wrote in it and who they are. `kitchen`: whose keys its id is for; None: all.
    """
    of_order = (*_SNAPSHOT, *_SNAPSHOT_CUSTOMER) if customer else _SNAPSHOT
    of_item = (*_SNAPSHOT_ITEM, *FREE_TEXT) if customer else _SNAPSHOT_ITEM
    document = {
        **_order(order, kitchen),
        "updatedAt": entry.recorded_at,
        "status": ORDER_NAMES[status],
        "version": entry.change,
        "items": [_pick(_item(item, []), of_item) for item in items],
    }
    return _pick(document, of_order)


def _pick(document: Document, names: Iterable[str]) -> Document:
    return {name: document[name] for name in names}


def _document(order: Order, items: Iterable[AnyItem], history: Iterable[AnyEntry], reader: Grant) -> Document:
    of_order: list[Document] = []
    of_items: defaultdict[str, list[Document]] = defaultdict(list)
    for entry in history:
        if entry.plu is None:
            of_order.append(_entry(entry, ORDER_NAMES))
        else:
            of_items[entry.plu].append(_entry(entry, ITEM_NAMES))
    document: Document = {
        **_order(order, reader.kitchen),
        "items": [_item(item, of_items[item.plu]) for item in items],
        "status": ORDER_NAMES[order.status],
        "statusHistory": of_order,
        "version": order.version,
    }
    if not reader.sees_customers:
        for name in CUSTOMER_FIELDS:
            del document[name]
    return document


def _order(order: Order, kitchen: str | None) -> Document:
    """What an order is, whatever happens to it. `kitchen`: whose keys its id is for; None: those for all."""
    return {
        "id": public_id(order.id, kitchen),
        "createdAt": order.created_at,
        "updatedAt": order.updated_at,
        "kitchen": order.kitchen_id,
        "account": order.account,
        "brandId": order.brand_id,
        "channel": order.channel,
        "channelOrderId": order.channel_order_id,
        "channelOrderDisplayId": order.channel_display_id,
        "customer": {"name": order.customer_name, "phoneNumber": order.customer_phone},
        "deliveryAddress": order.delivery_address,
        "pickupTime": order.pickup_time,
        "dueAt": order.due_at,
        "note": order.note,
        "currency": order.currency,
    }


def _item(item: AnyItem, history: list[Document]) -> Document:
    return {
        "plu": item.plu,
        "name": item.name,
        "quantity": item.quantity,
        "status": ITEM_NAMES[item.status],
        "statusHistory": history,
        "position": item.position,
        "note": item.note,
        "modifiers": item.modifiers,
        "allergens": item.allergens,
        "price": item.price,
    }


def _entry(entry: AnyEntry, names: dict[int, str]) -> Document:
    before = entry.from_status
    return {
        "status": names[entry.to_status],
        "timestamp": entry.at,
        "kind": KIND_NAMES[entry.kind],
        "actor": entry.actor,
        "from": None if before is None else names[before],
        "change": entry.change,
        "sequence": entry.sequence,
        "reason": entry.reason,
    }
