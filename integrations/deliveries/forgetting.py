"""What receivers answered may repeat what they were told, customers' names too: it goes with the customer's data."""

from typing import Any, Final

from django.db import connection

from orders.models import Order

# Locks in the order in which results are stored.
_FORGET: Final = """
    WITH answered AS (
        SELECT id FROM integrations_delivery
        WHERE order_id = ANY(%s) AND jsonb_path_exists(log, '$[*].answer ? (@ <> "")')
        ORDER BY id FOR UPDATE
    )
    UPDATE integrations_delivery d SET log = (
        SELECT jsonb_agg(entry || '{"answer": ""}' ORDER BY place)
        FROM jsonb_array_elements(d.log) WITH ORDINALITY AS tries (entry, place)
    )
    FROM answered WHERE d.id = answered.id
"""


def forget_answers(sender: type[Order], order_ids: list[str], **_: Any) -> None:
    """Receiver of `orders.signals.customer_data_removed`."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [order_ids])
