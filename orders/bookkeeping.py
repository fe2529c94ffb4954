"""Whether the books balance: what orders and items say of themselves against what their history says."""

from typing import Any

from django.db import connection

_OPEN_ORDERS = """
    SELECT o.id, NULL AS plu, o.status, last.to_status
    FROM orders_order o
    LEFT JOIN LATERAL (
        SELECT to_status FROM orders_statuschange c
        WHERE c.order_id = o.id AND c.plu IS NULL ORDER BY c.sequence DESC LIMIT 1
    ) last ON true
    WHERE o.status IN (1, 2, 3) AND last.to_status IS DISTINCT FROM o.status
"""
_THEIR_ITEMS = """
    SELECT o.id, i.plu, i.status, last.to_status
    FROM orders_order o
    JOIN orders_orderitem i ON i.order_id = o.id
    LEFT JOIN LATERAL (
        SELECT to_status FROM orders_statuschange c
        WHERE c.order_id = o.id AND c.plu = i.plu ORDER BY c.sequence DESC LIMIT 1
    ) last ON true
    WHERE o.status IN (1, 2, 3) AND last.to_status IS DISTINCT FROM i.status
"""


def differences(limit: int = 100) -> list[dict[str, Any]]:
    """Up to `limit` open orders or items whose status is not that of their last history row; empty when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_OPEN_ORDERS} UNION ALL {_THEIR_ITEMS} LIMIT %s", [limit])
        return [
            {"order_id": order_id, "plu": plu, "status": status, "last_in_history": last}
            for order_id, plu, status, last in cursor.fetchall()
        ]
