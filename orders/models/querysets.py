"""Named reads of the order tables, and their closed side doors.

`update(status=…)`, `bulk_update` of a status and `bulk_create` would change a status without its history, so they
are refused here; `add`, `move` and `append` are the ways for `orders.services`, which writes the history too.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.db import connections, models

from orders.models.writes import insert
from orders.statuses import OPEN

if TYPE_CHECKING:
    from orders.models.amendments import Amendment
    from orders.models.history import StatusChange
    from orders.models.orders import Order, OrderItem

GUARDED = frozenset({"status", "version", "sequence", "changed_at"})


def _refuse(what: str) -> NoReturn:
    raise TypeError(f"{what} would write no history: change a status through orders.services.")


class _Guarded[M: models.Model](models.QuerySet[M]):
    def update(self, **kwargs: Any) -> int:
        if not GUARDED.isdisjoint(kwargs):
            _refuse(f"update({', '.join(sorted(GUARDED & kwargs.keys()))})")
        return super().update(**kwargs)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        fields = list(fields)
        if not GUARDED.isdisjoint(fields):
            _refuse("bulk_update of a status")
        return super().bulk_update(objs, fields, *args, **kwargs)

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        _refuse("bulk_create")


class OrderQuerySet(_Guarded["Order"]):
    def for_key(self, kitchen: str | None) -> Self:
        """What a key may see: its kitchen's orders, or all where it is bound to none."""
        return self if kitchen is None else self.filter(kitchen_id=kitchen)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")

    def for_board(self, kitchen: str) -> Self:
        """The open orders of a kitchen, most urgent first, through the index that holds open orders only."""
        return self.filter(kitchen_id=kitchen, status__in=OPEN).order_by("due_at", "id")

    def amend(self, order: "Order") -> None:
        """Write what an amendment has set on an order whose lock is held; its status stays."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                "UPDATE orders_order SET note = %s, pickup_time = %s, due_at = %s, version = %s, updated_at = %s "
                "WHERE id = %s",
                [order.note, order.pickup_time, order.due_at, order.version, order.updated_at, order.id],
            )


class ItemQuerySet(_Guarded["OrderItem"]):
    def add(self, items: "Sequence[OrderItem]") -> None:
        """Store the items of a new order."""
        insert(items)

    def move(self, order_id: str, plus: Sequence[str], to: int) -> None:
        """Set the status of some items of an order whose lock is held."""
        if plus:
            with connections[self.db].cursor() as cursor:
                cursor.execute(
                    "UPDATE orders_orderitem SET status = %s WHERE order_id = %s AND plu = ANY(%s)",
                    [to, order_id, list(plus)],
                )

    def amend(self, items: "Sequence[OrderItem]") -> None:
        """Write note and quantity of some items of one order whose lock is held."""
        if items:
            with connections[self.db].cursor() as cursor:
                cursor.execute(
                    """
                    UPDATE orders_orderitem i SET note = new.note, quantity = new.quantity
                    FROM unnest(%s::text[], %s::text[], %s::integer[]) AS new (plu, note, quantity)
                    WHERE i.order_id = %s AND i.plu = new.plu
                    """,
                    [
                        [item.plu for item in items],
                        [item.note for item in items],
                        [item.quantity for item in items],
                        items[0].order_id,
                    ],
                )


class HistoryQuerySet(_Guarded["StatusChange"]):
    def update(self, **kwargs: Any) -> int:
        raise TypeError("History is append-only; nothing in it is updated.")

    def append(self, rows: "Sequence[StatusChange]") -> None:
        insert(rows)


class RecordQuerySet(models.QuerySet["Amendment"]):
    """Of records that stay as they were written."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError("Amendments are append-only; none of them is updated.")

    def append(self, row: "Amendment") -> None:
        insert([row])
