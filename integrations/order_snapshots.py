"""Orders as they were right after one of their changes, built from the history: three statements, however many."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from orders.models import HISTORY_COLUMNS, HistoryEntry, Order
from orders.serializers import change_document, snapshot_document
from orders.statements import ItemRow, items_by_order, orders_by_id, without_prepared_statements

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OrderThen:
    """An order right after the change to which the history entry `entry` belongs: `status` and the items' statuses
    are those of then, everything else of `order` and `items` is as it is now."""

    order: Order
    items: list[ItemRow]
    entry: HistoryEntry
    status: int

    def change_document(self) -> Document:
        """What has changed."""
        return change_document(self.entry)

    def order_document(self, *, customer: bool, kitchen: str | None) -> Document:
        """The order; only with `customer` what people wrote in it and who they are. `kitchen`: whose keys its id is
        for; None: those for all."""
        return snapshot_document(
            self.order, self.items, self.status, self.entry, customer=customer, kitchen=kitchen
        )


# With each entry the statuses up to its change, by PLU; the order's own by none. A later one overwrites an earlier one.
# PostgreSQL puts them together, because reading the whole history of each order would cost more than the rest of a
# delivery.
_READ = f"""
    SELECT {", ".join(f"c.{column}" for column in HISTORY_COLUMNS)}, (
        SELECT json_object_agg(coalesce(past.plu, ''), past.to_status ORDER BY past.sequence)::text
        FROM orders_statuschange past WHERE past.order_id = c.order_id AND past.change <= c.change
    )
    FROM unnest(%s::text[], %s::int[]) AS wanted (order_id, sequence)
    JOIN orders_statuschange c ON c.order_id = wanted.order_id AND c.sequence = wanted.sequence
"""  # noqa: S608  (our own columns)


def orders_then(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], OrderThen]:
    """By order and sequence, right after the change of that entry. Orders that no longer exist are left out."""
    keys = sorted(set(wanted))
    if not keys:
        return {}
    ids = sorted({order_id for order_id, _ in keys})
    with without_prepared_statements():
        orders, items = orders_by_id(ids), items_by_order(ids)
        with connection.cursor() as cursor:
            cursor.execute(_READ, [[order_id for order_id, _ in keys], [sequence for _, sequence in keys]])
            rows = cursor.fetchall()
    snapshots = {}
    for *columns, statuses_json in rows:
        entry = HistoryEntry(*columns)
        if entry.order_id in orders:
            statuses = orjson.loads(statuses_json)
            snapshots[entry.order_id, entry.sequence] = OrderThen(
                orders[entry.order_id],
                [item._replace(status=statuses.get(item.plu, item.status)) for item in items[entry.order_id]],
                entry,
                statuses.get("", entry.to_status),
            )
    return snapshots
