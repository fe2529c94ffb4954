"""Orders as CSV, for spreadsheets."""

import csv
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any, Final

from django.db.models import QuerySet

from core.csvs import cell
from orders.models import Order
from orders.statuses import ORDER_NAMES

MOST_ROWS: Final = 50_000
CHUNK: Final = 1000
COLUMNS: Final = (
    "id", "kitchen", "channel", "channelOrderId", "channelDisplayId", "brandId", "status", "createdAt", "dueAt",
    "pickupTime", "changedAt", "account",
)  # fmt: skip
CUSTOMER_COLUMNS: Final = ("customerName", "customerPhone", "note")


class _Line:
    """A file for csv that returns each line instead of storing it."""

    def write(self, line: str) -> str:
        return line


def exported_ids(orders: QuerySet[Order]) -> list[str]:
    """The first MOST_ROWS of them. Ids first, then the orders in portions: that needs no server-side cursor, which a
    transaction pooler would lose between two portions."""
    return list(orders.values_list("pk", flat=True)[:MOST_ROWS])


def csv_lines(ids: Sequence[str], *, customer: bool) -> Iterator[str]:
    """The heading and a line for each of these orders; times in RFC 3339, UTC."""
    write: Any = csv.writer(_Line()).writerow
    yield write(COLUMNS + CUSTOMER_COLUMNS if customer else COLUMNS)
    for order in _orders(ids):
        values: list[Any] = [
            order.id, order.kitchen_id, order.channel, order.channel_order_id, order.channel_display_id,
            order.brand_id, ORDER_NAMES[order.status], order.created_at, order.due_at, order.pickup_time,
            order.changed_at, order.account,
        ]  # fmt: skip
        if customer:
            values += [order.customer_name, order.customer_phone, order.note]
        yield write([cell(value) for value in values])


def _orders(ids: Sequence[str]) -> Iterator[Order]:
    """With all columns, also those that the list defers."""
    for portion in batched(ids, CHUNK):
        orders = Order.objects.in_bulk(portion)
        yield from (orders[order_id] for order_id in portion if order_id in orders)
