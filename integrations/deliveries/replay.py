"""Replay: sends events again, or for the first time to a receiver that was not there. Same ids, same order."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction

from integrations.deliveries import create, progress
from integrations.models import Delivery, LateNote, Sink
from orders import clock, feed

log = structlog.get_logger(__name__)

# So many deliveries are created in a few seconds.
MAX_ROWS: Final = 20_000
OLDEST: Final = timedelta(days=30)


class TooMany(ValueError):
    """The time is too long ago for one replay."""


class NotActive(ValueError):
    """The receiver is disabled or deleted."""


@transaction.atomic
def replay_delivery(delivery: Delivery) -> None:
    """Send one delivery again. Raises NotActive."""
    # Before any row, as in `health.disable`: else a receiver disabled meanwhile would keep a waiting delivery.
    progress.lock()
    _check_active(delivery.sink_id)
    now = clock.now()
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.WAITING,
        attempts=0,
        created_at=now,
        next_attempt_at=now,
        leased_until=None,
        leased_by="",
        finished_at=None,
    )
    _wake(delivery.sink_id)


def replay_order(sink_id: str, order_id: str) -> int:
    """Send a receiver all events of one order that it wants; returns how many. Raises NotActive."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT order_id, sequence FROM orders_statuschange WHERE order_id = %s", [order_id])
        rows = cursor.fetchall()
    late_orders = LateNote.objects.filter(order_id=order_id).values_list("order_id", flat=True)
    return _replay(sink_id, rows, list(late_orders))


def replay_since(sink_id: str, since: datetime) -> int:
    """Send a receiver the events recorded from `since` on that it wants; how many. Raises NotActive, TooMany."""
    if since < clock.now() - OLDEST:
        raise TooMany
    with connection.cursor() as cursor:
        # Each change touches the order's row, so the index by update time finds all orders in question.
        cursor.execute(
            """
            SELECT c.order_id, c.sequence FROM orders_order o JOIN orders_statuschange c ON c.order_id = o.id
            JOIN integrations_sink s ON s.id = %s AND (s.kitchen_id IS NULL OR s.kitchen_id = o.kitchen_id)
                AND s.channel IN ('', o.channel)
            WHERE o.updated_at >= %s AND c.recorded_at >= %s LIMIT %s
            """,
            [sink_id, since, since, MAX_ROWS + 1],
        )
        rows = cursor.fetchall()
        cursor.execute(
            """
            SELECT n.order_id FROM integrations_latenote n JOIN orders_order o ON o.id = n.order_id
            JOIN integrations_sink s ON s.id = %s AND (s.kitchen_id IS NULL OR s.kitchen_id = o.kitchen_id)
                AND s.channel IN ('', o.channel)
            WHERE n.noted_at >= %s LIMIT %s
            """,
            [sink_id, since, MAX_ROWS + 1],
        )
        late_orders = [order_id for (order_id,) in cursor.fetchall()]
    return _replay(sink_id, rows, late_orders)


def _replay(sink_id: str, rows: list[tuple[str, int]], late_orders: list[str]) -> int:
    if max(len(rows), len(late_orders)) > MAX_ROWS:
        raise TooMany
    with transaction.atomic():
        progress.lock()
        _check_active(sink_id)
        # The loop sends what the feed has not given yet; from here it could overtake earlier events.
        rows = feed.read_already(rows, progress.cursor())
        count = create.repeat(sink_id, rows, late_orders)
        _wake(sink_id)
    log.info("replayed", sink=sink_id, deliveries=count)
    return count


def _check_active(sink_id: str) -> None:
    if not Sink.objects.present().filter(id=sink_id, disabled_at=None).exists():
        raise NotActive


def _wake(sink_id: str) -> None:
    """End the receiver's rest: whoever asks for a replay wants it now."""
    Sink.objects.filter(id=sink_id).exclude(retry_at=None).update(retry_at=None)
