"""The one way past `orders.services`: whole histories of orders, stored by COPY. For simulated pasts and imports only.

A `SimulatedOrder` goes through the same `orders.moves` as the services, in memory and at times of its own; a test holds
its rows equal to theirs. `store` writes many as one transaction, some hundred times as fast as services do.

`order_changed` is not sent: no alarm rings and no screen is updated. The change feed has the rows like any others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from django.db import connection, models, transaction

from orders import moves
from orders.models import Change, Kitchen, Order, OrderItem, StatusChange
from orders.new import NewOrder
from orders.statuses import OPEN


class SimulatedOrder:
    """An order that came at `at`, and what has happened to it since. Times must not go back.

    Its methods raise what `orders.moves` does, and then change nothing.
    """

    __slots__ = ("history", "order")

    def __init__(self, new: NewOrder, *, kitchen: Kitchen, actor: str, at: datetime) -> None:
        self.order, change = moves.create(new, kitchen, actor, at)
        self.history = change.rows

    @property
    def is_open(self) -> bool:
        return self.order.status in OPEN

    def move(self, to: int, *, at: datetime, actor: str, reason: str = "") -> None:
        self._record(moves.move_order(self.order, to, actor, reason, at))

    def move_items(self, plus: Iterable[str], to: int, *, at: datetime, actor: str, reason: str = "") -> None:
        """One item as `move_item` does it, several as `move_items` does."""
        wanted = set(plus)
        items = [item for item in self.order.loaded_items if item.plu in wanted]
        if len(items) == 1:
            self._record(moves.move_item(self.order, items[0], to, actor, reason, at))
        else:
            self._record(moves.move_items(self.order, items, to, actor, reason, at))

    def recall(self, plu: str | None = None, *, at: datetime, actor: str, reason: str = "") -> None:
        self._record(moves.recall(self.order, self.history, plu, actor, reason, at))

    def _record(self, change: Change | None) -> None:
        if change is not None:
            self.history += change.rows


# How many orders are well stored at once: enough for COPY to be fast, few enough for one page of the feed's readers.
BATCH: Final = 1000


def store(simulated: Sequence[SimulatedOrder]) -> int:
    """Write these orders as one transaction; returns how many history entries they have.

    Raises IntegrityError where an id is taken already; then none of them is stored.
    """
    with transaction.atomic():
        _copy(Order, (one.order for one in simulated))
        _copy(OrderItem, chain.from_iterable(one.order.loaded_items for one in simulated))
        _copy(StatusChange, chain.from_iterable(one.history for one in simulated))
    return sum(len(one.history) for one in simulated)


def _copy(model: type[models.Model], rows: Iterable[Any]) -> None:
    """COPY rows into the model's table: instances, or tuples with the same attributes."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = attrgetter(*(field.attname for field in fields))
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN (FORMAT binary)') as copy,
    ):
        copy.set_types([(field.db_type(connection) or "").partition("(")[0] for field in fields])
        for row in rows:
            copy.write_row(values(row))
