"""Writing a past to the database, then bringing everything that reads it up to date."""

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

# What the planner may be ahead of the database, in batches: enough for neither to wait, too few to need memory.
AHEAD: Final = 4


def fill(pasts: Sequence[Past], show: Callable[[int, int], None]) -> tuple[int, int]:
    """Write these pasts, oldest orders first; returns the numbers of orders and of rows of their history.

    `show` is told these numbers after each batch, which is one transaction. While one is written, the next is planned.
    """
    batches: queue.Queue[list[SimulatedOrder] | None] = queue.Queue(AHEAD)
    written: list[tuple[int, int]] = []
    errors: list[BaseException] = []

    def write() -> None:
        try:
            while (batch := batches.get()) is not None:
                if not errors:
                    written.append((len(batch), _store(batch)))
        except BaseException as error:  # noqa: BLE001  (told to the thread that plans)
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
    """A past is told to nobody: receivers begin anew with what happens from their making on."""
    with transaction.atomic():
        rows = store(batch)
        Sink.objects.filter(begun=True).update(begun=False)
    return rows


def _batches(pasts: Sequence[Past]) -> Iterator[list[SimulatedOrder]]:
    batch: list[SimulatedOrder] = []
    for day in zip(*(past.lives() for past in pasts), strict=True):
        # Kitchens of one day together, as they would have been written.
        for life in heapq.merge(*day, key=lambda life: life.order.created_at):
            batch.append(life)
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def vacuum() -> None:
    """What autovacuum would do some minutes later: statistics for plans, pages marked as all visible."""
    with connection.cursor() as cursor:
        for model in (Order, OrderItem, StatusChange, *analytics.ROLLUPS):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")


def refresh_figures(show: Callable[[int], None]) -> int:
    """Bring analytics up to date; returns how many rows were read, and tells `show` after each portion."""
    return analytics.refresh(seconds=float("inf"), show=show).changes
