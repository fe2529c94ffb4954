"""Whether the statuses of orders and items agree with their history."""

from typing import Any

from django.db import connection

from orders.statuses import OPEN, in_sql

_ORDERS = """
    SELECT o.id, NULL AS plu, o.status, last.to_status
    FROM orders_order o
    LEFT JOIN LATERAL (
        SELECT to_status FROM orders_statuschange c
        WHERE c.order_id = o.id AND c.plu IS NULL ORDER BY c.sequence DESC LIMIT 1
    ) last ON true
    WHERE last.to_status IS DISTINCT FROM o.status {only}
"""
_ITEMS = """
    SELECT o.id, i.plu, i.status, last.to_status
    FROM orders_order o
    JOIN orders_orderitem i ON i.order_id = o.id
    LEFT JOIN LATERAL (
        SELECT to_status FROM orders_statuschange c
        WHERE c.order_id = o.id AND c.plu = i.plu ORDER BY c.sequence DESC LIMIT 1
    ) last ON true
    WHERE last.to_status IS DISTINCT FROM i.status {only}
"""
_ONLY_OPEN = f"AND o.status IN {in_sql(OPEN)}"


def differences(limit: int = 100, *, ended: bool = False) -> list[dict[str, Any]]:
    """Up to `limit` open orders or items whose status is not that of their last history row; empty when all agree.

    With `ended` all orders are compared, which reads the whole tables.
    """
    only = "" if ended else _ONLY_OPEN
    with connection.cursor() as cursor:
        cursor.execute(f"{_ORDERS} UNION ALL {_ITEMS} LIMIT %s".format(only=only), [limit])
        return [
            {"order_id": order_id, "plu": plu, "status": status, "last_in_history": last}
            for order_id, plu, status, last in cursor.fetchall()
        ]
