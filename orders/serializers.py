"""Orders as plain data for the API: no serializer tree, because a list of 50 orders is some 800 rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from core.api import Grant
from orders.feed import Event
from orders.ids import public_id
from orders.models import Order, OrderItem, StatusChange
from orders.statuses import ITEM_NAMES, KIND_NAMES, ORDER_NAMES

type Document = dict[str, Any]
type LogRow = tuple[str, int, str | None, int | None, int, int, int, datetime, str, str]
type LineRow = tuple[str, str, int, str, int, int, str, list[Any], list[Any], int | None]


# What stands in an order's document only for who may see customers.
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
    lines, logs = _lines(ids), _logs(ids)
    return [_document(order, lines[order.id], logs[order.id], reader) for order in orders]


def order_document(order: Order, reader: Grant) -> Document:
    """One whole order. What a service has loaded already (`lines`, `log`) is not read again."""
    loaded = vars(order)
    lines = [_line_row(item) for item in order.lines] if "lines" in loaded else _lines([order.id])[order.id]
    log = [_log_row(row) for row in order.log] if "log" in loaded else _logs([order.id])[order.id]
    return _document(order, lines, log, reader)


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
    log = [_item_entry(row) for row in _logs([order.id])[order.id] if row[2] == item.plu]
    return _item(_line_row(item), log)


def event_document(event: Event, reader: Grant) -> Document:
    """One row of the change feed."""
    names = ORDER_NAMES if event.plu is None else ITEM_NAMES
    return {
        "cursor": event.cursor.for_clients(),
        "orderId": public_id(event.order_id, reader.kitchen),
        "sequence": event.sequence,
        "plu": event.plu,
        "from": names.get(event.from_status) if event.from_status is not None else None,
        "to": names[event.to_status],
        "kind": KIND_NAMES[event.kind],
        "change": event.change,
        "recalls": event.recalls,
        "at": event.at,
        "recordedAt": event.recorded_at,
        "actor": event.actor,
        "reason": event.reason,
    }


# Written out, because these two run with nearly every call: the ORM takes longer to put such a statement together than
# PostgreSQL to answer it, and as constants they are prepared once for each connection.
_READ_LINES = """
    SELECT order_id, plu, position, name, quantity, status, note, modifiers, allergens, price
    FROM orders_orderitem WHERE order_id {these} ORDER BY order_id, position
"""
_READ_LOGS = """
    SELECT order_id, sequence, plu, from_status, to_status, kind, change, at, actor, reason
    FROM orders_statuschange WHERE order_id {these} ORDER BY order_id, sequence
"""
# The plan for one order is kept. An array of one would be planned anew each time, as a kept plan is made for arrays
# of ten and so looks dear.
_ONE, _MANY = "= %s", "= ANY(%s)"


def _rows(sql: str, ids: list[str]) -> list[Any]:
    with connection.cursor() as cursor:
        if len(ids) == 1:
            cursor.execute(sql.format(these=_ONE), ids)
        else:
            cursor.execute(sql.format(these=_MANY), [ids])
        return cursor.fetchall()


def _lines(ids: list[str]) -> defaultdict[str, list[LineRow]]:
    found: defaultdict[str, list[LineRow]] = defaultdict(list)
    for row in _rows(_READ_LINES, ids):
        # JSON columns come as text here; nearly all are empty lists.
        modifiers, allergens = row[7], row[8]
        if modifiers != "[]" or allergens != "[]":
            row = (*row[:7], orjson.loads(modifiers), orjson.loads(allergens), row[9])
        else:
            row = (*row[:7], [], [], row[9])
        found[row[0]].append(row)
    return found


def _logs(ids: list[str]) -> defaultdict[str, list[LogRow]]:
    found: defaultdict[str, list[LogRow]] = defaultdict(list)
    for row in _rows(_READ_LOGS, ids):
        found[row[0]].append(row)
    return found


def _line_row(item: OrderItem) -> LineRow:
    return (
        item.order_id, item.plu, item.position, item.name, item.quantity, item.status,
        item.note, item.modifiers, item.allergens, item.price,
    )  # fmt: skip


def _log_row(row: StatusChange) -> LogRow:
    return (
        row.order_id, row.sequence, row.plu, row.from_status, row.to_status, row.kind,
        row.change, row.at, row.actor, row.reason,
    )  # fmt: skip


def _document(order: Order, lines: Iterable[LineRow], log: Iterable[LogRow], reader: Grant) -> Document:
    own: list[Document] = []
    of_items: defaultdict[str, list[Document]] = defaultdict(list)
    for row in log:
        if row[2] is None:
            own.append(_entry(row, ORDER_NAMES))
        else:
            of_items[row[2]].append(_item_entry(row))
    document: Document = {
        "id": public_id(order.id, reader.kitchen),
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
        "items": [_item(line, of_items[line[1]]) for line in lines],
        "status": ORDER_NAMES[order.status],
        "statusHistory": own,
        "version": order.version,
    }
    if not reader.sees_customers:
        for name in CUSTOMER_FIELDS:
            del document[name]
    return document


def _item(line: LineRow, history: list[Document]) -> Document:
    _, plu, position, name, quantity, status, note, modifiers, allergens, price = line
    return {
        "plu": plu,
        "name": name,
        "quantity": quantity,
        "status": ITEM_NAMES[status],
        "statusHistory": history,
        "position": position,
        "note": note,
        "modifiers": modifiers,
        "allergens": allergens,
        "price": price,
    }


def _item_entry(row: LogRow) -> Document:
    return _entry(row, ITEM_NAMES)


def _entry(row: LogRow, names: dict[int, str]) -> Document:
    _, sequence, _, before, after, kind, change, at, actor, reason = row
    return {
        "status": names[after],
        "timestamp": at,
        "kind": KIND_NAMES[kind],
        "actor": actor,
        "from": None if before is None else names[before],
        "change": change,
        "sequence": sequence,
        "reason": reason,
    }
