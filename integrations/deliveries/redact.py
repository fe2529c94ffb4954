"""What receivers answered may repeat what they were told, customers' names too: it goes with the customer's data."""

from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection

from orders.models import Order

# The lease of a delivery under way whose customer's data was removed meanwhile: its answer is not kept. No run takes
# its own lease anew, and another one's counts for nothing.
ANSWER_UNWANTED: Final = datetime(9999, 12, 31, tzinfo=UTC)
# Locks in the order in which results are stored.
_FORGET: Final = """
    WITH told AS (
        SELECT id FROM integrations_delivery
        WHERE order_id = ANY(%s)
          AND (leased_until IS NOT NULL OR jsonb_path_exists(log, '$[*].answer ? (@ <> "")'))
        ORDER BY id FOR UPDATE
    )
    UPDATE integrations_delivery d SET
        leased_until = CASE WHEN d.leased_until IS NOT NULL THEN %s::timestamptz END,
        log = coalesce((
            SELECT jsonb_agg(entry || '{"answer": ""}' ORDER BY place)
            FROM jsonb_array_elements(d.log) WITH ORDINALITY AS tries (entry, place)
        ), d.log)
    FROM told WHERE d.id = told.id
"""


def forget_answers(sender: type[Order], order_ids: list[str], **_: Any) -> None:
    """Receiver of `orders.signals.customer_data_removed`."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [order_ids, ANSWER_UNWANTED])
