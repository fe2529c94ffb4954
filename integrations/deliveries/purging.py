"""Removes old deliveries, deleted receivers, old late notes, and answers that may name a forgotten customer."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from integrations.models import Delivery, Sink
from orders import clock
from orders.models import Order
from orders.statuses import TERMINAL, in_sql

BATCH: Final = 2000
# An order that stays open keeps its note, so that it is never reported late twice.
LATE_NOTE_LIFETIME: Final = timedelta(days=60)
# The lease of a delivery that was in flight when its customer's data was removed: its answer is not stored. No run
# claims its own lease again, and the lease of another run counts for nothing.
ANSWER_UNWANTED: Final = datetime(9999, 12, 31, tzinfo=UTC)

_FINISHED: Final = f"""
    DELETE FROM integrations_delivery WHERE id IN (
        SELECT id FROM integrations_delivery WHERE created_at < %s AND state <> {Delivery.State.WAITING:d}
        ORDER BY id LIMIT %s
    )
"""  # noqa: S608  (a number of ours)
_OF_RECEIVER: Final = """
    DELETE FROM integrations_delivery WHERE id IN (
        SELECT id FROM integrations_delivery WHERE sink_id = %s LIMIT %s
    )
"""
_LATE_NOTES: Final = f"""
    DELETE FROM integrations_latenote WHERE order_id IN (
        SELECT n.order_id FROM integrations_latenote n LEFT JOIN orders_order o ON o.id = n.order_id
        WHERE n.noted_at < %s AND (o.id IS NULL OR o.status IN {in_sql(TERMINAL)}) LIMIT %s
    )
"""  # noqa: S608  (a number of ours)
# Takes its locks in the order in which results are stored.
_FORGET_ANSWERS: Final = """
    WITH affected AS (
        SELECT id FROM integrations_delivery
        WHERE order_id = ANY(%s)
          AND (leased_until IS NOT NULL OR jsonb_path_exists(log, '$[*].answer ? (@ <> "")'))
        ORDER BY id FOR UPDATE
    )
    UPDATE integrations_delivery d SET
        leased_until = CASE WHEN d.leased_until IS NOT NULL THEN %s::timestamptz END,
        log = coalesce((
            SELECT jsonb_agg(entry || '{"answer": ""}' ORDER BY place)
            FROM jsonb_array_elements(d.log) WITH ORDINALITY AS attempts (entry, place)
        ), d.log)
    FROM affected WHERE d.id = affected.id
"""


def purge_deliveries() -> int:
    """Delete what has passed its time, in small statements; returns how many rows. May run twice at once and be
    killed."""
    # Ids grow with time, so the oldest come first by the primary key.
    count = _delete_all(_FINISHED, clock.now() - timedelta(days=settings.HUUVA_DELIVERY_LOG_DAYS))
    for receiver in Sink.objects.exclude(deleted_at=None):
        count += _delete_all(_OF_RECEIVER, receiver.pk)
        receiver.delete()
    return count + _delete_all(_LATE_NOTES, clock.now() - LATE_NOTE_LIFETIME)


def _delete_all(statement: str, parameter: Any) -> int:
    count = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, [parameter, BATCH])
            count += cursor.rowcount
            if cursor.rowcount < BATCH:
                return count


def forget_answers(sender: type[Order], order_ids: list[str], **_: Any) -> None:
    """Receiver of `orders.signals.customer_data_removed`: answers of receivers may repeat what they were sent."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_ANSWERS, [order_ids, ANSWER_UNWANTED])
