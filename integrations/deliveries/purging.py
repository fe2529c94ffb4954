"""Forgetting: finished deliveries after some days, deleted sinks with theirs, notes of orders that are long over."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from integrations.models import Sink
from orders import clock
from orders.statuses import TERMINAL, in_sql

BATCH: Final = 2000
# An order that stays open keeps its note, so that it is never late twice.
NOTES_KEPT: Final = timedelta(days=60)


def purge_deliveries() -> int:
    """Returns how many rows went. Small statements: what is done stays done; may run twice at once and be killed."""
    old = clock.now() - timedelta(days=settings.HUUVA_DELIVERY_LOG_DAYS)
    # Ids grow with time, so the oldest come first by the primary key.
    finished = _repeated(
        """
        DELETE FROM integrations_delivery WHERE id IN (
            SELECT id FROM integrations_delivery WHERE created_at < %s AND state <> 1 ORDER BY id LIMIT %s
        )
        """,
        [old, BATCH],
    )
    deleted = 0
    for sink in Sink.objects.exclude(deleted_at=None):
        deleted += _repeated(
            "DELETE FROM integrations_delivery WHERE id IN "
            "(SELECT id FROM integrations_delivery WHERE sink_id = %s LIMIT %s)",
            [sink.pk, BATCH],
        )
        sink.delete()
    notes = _repeated(
        f"""
        DELETE FROM integrations_latenote WHERE order_id IN (
            SELECT n.order_id FROM integrations_latenote n LEFT JOIN orders_order o ON o.id = n.order_id
            WHERE n.noted_at < %s AND (o.id IS NULL OR o.status IN {in_sql(TERMINAL)}) LIMIT %s
        )
        """,  # noqa: S608
        [clock.now() - NOTES_KEPT, BATCH],
    )
    return finished + deleted + notes


def _repeated(statement: str, parameters: list[Any]) -> int:
    count = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, parameters)
            count += cursor.rowcount
            if cursor.rowcount < BATCH:
                return count
