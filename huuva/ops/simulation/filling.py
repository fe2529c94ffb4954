"""Writes a simulated past to the database, then updates analytics and statistics."""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.db import connection, transaction

from analytics import refresh as analytics
from huuva.ops.simulation.past import Past
from integrations.models import Sink
from orders.bulk import BATCH, SimulatedOrder, store
from orders.models import Order, OrderItem, StatusChange

# How many batches the simulation may be ahead of the database: enough that neither waits, few enough for memory.
AHEAD: Final = 4


def fill(pasts: Sequence[Past], show: Callable[[int, int], None]) -> tuple[int, int]:
    """Write these pasts, oldest orders first; returns the number of orders and of rows of their history.

    `show` is called with these numbers after each batch, which is one transaction. While a batch is written, the next
    is simulated.
    """
    batches: queue.Queue[list[SimulatedOrder] | None] = queue.Queue(AHEAD)
    written: list[tuple[int, int]] = []
    errors: list[BaseException] = []

    def write() -> None:
        try:
            while (batch := batches.get()) is not None:
                if not errors:
                    written.append((len(batch), _store(batch)))
        except BaseException as error:  # noqa: BLE001  (raised by the other thread)
            errors.append(error)
            while batches.get() is not None:
                pass
        finally:
            connection.close()

    writer = threading.Thread(target=write, name="past-writer")
    writer.start()
    try:
        for batch in _batches(pasts):
            batches.put(batch)
            if errors:
                break
            show(sum(orders for orders, _ in written), sum(rows for _, rows in written))
    finally:
        batches.put(None)
        writer.join()
    if errors:
        raise errors[0]
    return sum(orders for orders, _ in written), sum(rows for _, rows in written)


def _store(batch: list[SimulatedOrder]) -> int:
    """A simulated past is sent to no receiver: they start again with what happens from now on."""
    with transaction.atomic():
        rows = store(batch)
        Sink.objects.filter(begun=True).update(begun=False)
    return rows


def _batches(pasts: Sequence[Past]) -> Iterator[list[SimulatedOrder]]:
    batch: list[SimulatedOrder] = []
    for day in zip(*(past.orders_by_day() for past in pasts), strict=True):
        # The kitchens of a day together, as they would have been written.
        for order in heapq.merge(*day, key=lambda order: order.order.created_at):
            batch.append(order)
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def vacuum() -> None:
    """What autovacuum would do minutes later: collect statistics, mark pages as all-visible."""
    with connection.cursor() as cursor:
        for model in (Order, OrderItem, StatusChange, *analytics.ROLLUPS):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")


def refresh_figures(show: Callable[[int], None]) -> int:
    """Refresh analytics; returns how many rows were read, and calls `show` after each page."""
    return analytics.refresh(seconds=float("inf"), show=show).changes
