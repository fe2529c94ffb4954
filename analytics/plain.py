"""The same numbers as the rollups, as plain SQL straight over the history. It costs what was ever sold.

It shares no code with the rollups, so that a test can hold them against each other. Percentiles here are exact.
"""

from typing import Any

from django.db import connection

Rows = dict[tuple[Any, ...], tuple[Any, ...]]

_STEPS = """
    WITH steps AS (
        SELECT o.id, o.kitchen_id AS kitchen, o.brand_id AS brand, o.channel, o.created_at, o.due_at,
               c.plu, c.sequence, c.kind, c.at, c.to_status AS status,
               lag(c.to_status) OVER chain AS status_before, lag(c.at) OVER chain AS at_before
        FROM orders_statuschange c JOIN orders_order o ON o.id = c.order_id
        WINDOW chain AS (PARTITION BY c.order_id, c.plu ORDER BY c.sequence)
    )
"""
_DURATIONS = """
    SELECT {plu}, {start}, kitchen, brand, status_before, count(*),
           (extract(epoch FROM sum(at - at_before)) * 1000000)::bigint,
           percentile_disc(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY at - at_before)
    FROM steps WHERE {chain} AND status_before IN (1, 2, 3) AND at >= at_before
    GROUP BY 1, 2, 3, 4, 5
"""
_CHAINS = {
    "orders": {"plu": "''", "chain": "plu IS NULL"},
    "items": {"plu": "''", "chain": "plu IS NOT NULL"},
    "products": {"plu": "plu", "chain": "plu IS NOT NULL"},
}
_SPANS: dict[str | None, str] = {
    None: "'1970-01-01 00:00Z'::timestamptz",
    **{span: f"date_trunc('{span}', at, 'UTC')" for span in ("hour", "day", "month")},
}
_THROUGHPUT = """
    , of_order AS (
        SELECT id, date_trunc('hour', created_at, 'UTC') AS hour, kitchen, brand, channel,
               count(DISTINCT plu) AS items,
               (array_agg(status ORDER BY sequence DESC) FILTER (WHERE plu IS NULL))[1] = 5 AS cancelled,
               bool_or(kind = 3) AS recalled,
               coalesce(bool_or(at > due_at) FILTER (
                   WHERE plu IS NULL AND status IN (3, 4) AND coalesce(status_before, 0) NOT IN (3, 4)
               ), false) AS late
        FROM steps GROUP BY 1, 2, 3, 4, 5
    ), pickups AS (
        SELECT id, count(*) AS number, (extract(epoch FROM sum(at - at_before)) * 1000000)::bigint AS micros
        FROM steps WHERE plu IS NULL AND status_before = 3 AND status = 4 AND at >= at_before GROUP BY 1
    )
    SELECT hour, kitchen, brand, channel, count(*), sum(items), count(*) FILTER (WHERE cancelled),
           count(*) FILTER (WHERE recalled), count(*) FILTER (WHERE late),
           coalesce(sum(number), 0), coalesce(sum(micros), 0)
    FROM of_order LEFT JOIN pickups USING (id) GROUP BY 1, 2, 3, 4
"""
_CUSTOMERS = """
    SELECT coalesce(kitchen_id, ''), coalesce(brand_id, ''), account, count(*), min(created_at), max(created_at)
    FROM orders_order GROUP BY account, CUBE (kitchen_id, brand_id)
"""
_CUSTOMER_HOURS = """
    SELECT date_trunc('hour', created_at, 'UTC'), kitchen_id, brand_id, account,
           count(*), min(created_at), max(created_at)
    FROM orders_order GROUP BY 1, 2, 3, 4
"""


def durations(of: str, span: str | None) -> Rows:
    """Times in status `of` orders, items or products, closed in a span: `hour`, `day`, `month` or None for all time.

    By PLU (empty unless of products), start of the span, kitchen, brand and status: count, microseconds, and a
    list of the 50th, 90th and 95th percentile.
    """
    return _read(_STEPS + _DURATIONS.format(start=_SPANS[span], **_CHAINS[of]), 5)


def throughput() -> Rows:
    """By hour of creation, kitchen, brand and channel: the fields of analytics.rules.Throughput, in their order."""
    return _read(_STEPS + _THROUGHPUT, 4)


def customers() -> Rows:
    """By kitchen, brand (each empty for all) and account: orders, first, last."""
    return _read(_CUSTOMERS, 3)


def customer_hours() -> Rows:
    """By hour of creation, kitchen, brand and account: orders, first, last."""
    return _read(_CUSTOMER_HOURS, 4)


def _read(query: str, keys: int) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[:keys]: row[keys:] for row in cursor.fetchall()}
