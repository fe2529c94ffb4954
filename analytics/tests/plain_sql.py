"""The numbers of the rollups, as plain SQL over the whole history.

It shares no code with the rollups, so that tests can compare the two. Percentiles here are exact.
"""

from typing import Any

from django.db import connection

Rows = dict[tuple[Any, ...], tuple[Any, ...]]

_STEPS = """
    WITH steps AS (
        SELECT o.id, o.kitchen_id AS kitchen, o.brand_id AS brand, o.channel, o.created_at,
               -- As it was at that change: the due time before the first later amendment.
               coalesce(later.due_before, o.due_at) AS due_at,
               c.plu, c.sequence, c.kind, c.at, c.to_status AS status,
               lag(c.to_status) OVER chain AS status_before, lag(c.at) OVER chain AS at_before
        FROM orders_statuschange c JOIN orders_order o ON o.id = c.order_id
        LEFT JOIN LATERAL (
            SELECT (array_agg((each->>'before')::timestamptz ORDER BY version))[1] AS due_before
            FROM orders_amendment a, jsonb_path_query(a.changes, '$[*] ? (@.field == "due_at")') AS each
            WHERE a.order_id = c.order_id AND a.version > c.change
        ) later ON true
        WINDOW chain AS (PARTITION BY c.order_id, c.plu ORDER BY c.sequence)
    )
"""
_DURATIONS = """
    SELECT {plu}, {start}, coalesce(kitchen, ''), coalesce(brand, ''), status_before, count(*),
           (extract(epoch FROM sum(at - at_before)) * 1000000)::bigint,
           percentile_disc(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY at - at_before)
    FROM steps WHERE {chain} AND status_before IN (1, 2, 3) AND at >= at_before
    GROUP BY 1, 2, status_before, {places}
"""
_CHAINS = {
    "orders": {"plu": "''", "chain": "plu IS NULL", "places": "ROLLUP (kitchen, brand)"},
    "items": {"plu": "''", "chain": "plu IS NOT NULL", "places": "ROLLUP (kitchen, brand)"},
    "products": {"plu": "plu", "chain": "plu IS NOT NULL", "places": "kitchen, brand"},
}
_PERIODS: dict[str | None, str] = {
    None: "'1970-01-01 00:00Z'::timestamptz",
    **{period: f"date_trunc('{period}', at, 'UTC')" for period in ("hour", "day", "month")},
}
_THROUGHPUT = """
    , of_order AS (
        SELECT id, date_trunc('hour', created_at, 'UTC') AS hour, kitchen, brand, channel,
               count(DISTINCT plu) AS items,
               (array_agg(status ORDER BY sequence DESC) FILTER (WHERE plu IS NULL))[1] = 5 AS cancelled,
               bool_or(kind = 3) AS recalled,
               coalesce(bool_or(at > due_at) FILTER (
                   WHERE plu IS NULL AND status IN (3, 4) AND coalesce(status_before, 0) NOT IN (3, 4)
               ), false) AS late,
               bool_or(kind = 2) AS imported,
               bool_or(plu IS NULL AND kind <> 3 AND status <> 5 AND status > coalesce(status_before, 0) + 1) AS skipped
        FROM steps GROUP BY 1, 2, 3, 4, 5
    ), pickups AS (
        SELECT id, count(*) AS number, (extract(epoch FROM sum(at - at_before)) * 1000000)::bigint AS micros
        FROM steps WHERE plu IS NULL AND status_before = 3 AND status = 4 AND at >= at_before GROUP BY 1
    )
    SELECT hour, kitchen, coalesce(brand, ''), coalesce(channel, ''), count(*), sum(items),
           count(*) FILTER (WHERE cancelled), count(*) FILTER (WHERE recalled), count(*) FILTER (WHERE late),
           coalesce(sum(number), 0), coalesce(sum(micros), 0),
           count(*) FILTER (WHERE imported), count(*) FILTER (WHERE skipped)
    FROM of_order LEFT JOIN pickups USING (id) GROUP BY hour, kitchen, GROUPING SETS ((brand, channel), ())
"""
_SALES = """
    SELECT date_trunc('{period}', o.created_at, 'UTC'), o.kitchen_id, o.brand_id, c.plu, count(DISTINCT o.id)
    FROM orders_statuschange c JOIN orders_order o ON o.id = c.order_id
    WHERE c.plu IS NOT NULL GROUP BY 1, 2, 3, 4
"""
_READY_TIMES = """
    , numbered AS (
        SELECT steps.*, min(sequence) FILTER (WHERE status IN (3, 4)) OVER chain AS ready_sequence,
               first_value(at) OVER (chain ORDER BY sequence) AS first_at
        FROM steps WHERE plu IS NOT NULL WINDOW chain AS (PARTITION BY id, plu)
    ), times AS (
        SELECT *, at - greatest(first_at, due_at - interval '20 minutes') AS took
        FROM numbered WHERE sequence = ready_sequence AND status_before IS NOT NULL
    )
    SELECT date_trunc('{period}', at, 'UTC'), kitchen, brand, plu, count(*),
           (extract(epoch FROM sum(took)) * 1000000)::bigint,
           percentile_disc(ARRAY[0.5, 0.9, 0.95]) WITHIN GROUP (ORDER BY took)
    FROM times WHERE took >= interval '0' GROUP BY 1, 2, 3, 4
"""
_NAMES = """
    SELECT DISTINCT ON (brand_id, plu) brand_id, plu, name, created_at, id
    FROM orders_order JOIN orders_orderitem ON order_id = id
    ORDER BY brand_id, plu, created_at DESC, id DESC
"""
_MOVES = """
    SELECT date_trunc('hour', c.at, 'UTC'), o.kitchen_id,
           floor((extract(minute FROM c.at) * 60 + extract(second FROM c.at)) / 10)::int, c.to_status, c.actor, count(*)
    FROM orders_statuschange c JOIN orders_order o ON o.id = c.order_id
    WHERE c.plu IS NULL AND c.kind = 1 AND c.from_status IS NOT NULL AND c.to_status IN (3, 4)
    GROUP BY 1, 2, 3, 4, 5
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
_CUSTOMER_MONTHS = """
    SELECT date_trunc('month', created_at, 'UTC'), account, count(*) FROM orders_order GROUP BY 1, 2
"""


def durations(of: str, period: str | None) -> Rows:
    """Times in status `of` orders, items or products, that ended in a period: `hour`, `day`, `month` or None for all time.

    By PLU (empty unless of products), start of the period, kitchen, brand (unless of products also without the one or
    both, empty) and status: count, microseconds, and a list of the 50th, 90th and 95th percentile.
    """
    return _read(_STEPS + _DURATIONS.format(start=_PERIODS[period], **_CHAINS[of]), 5)


def throughput() -> Rows:
    """By hour of creation, kitchen, brand and channel (both empty for all of them): the fields of
    analytics.rules.Throughput, in their order."""
    return _read(_STEPS + _THROUGHPUT, 4)


def customers() -> Rows:
    """By kitchen, brand (each empty for all) and account: orders, first, last."""
    return _read(_CUSTOMERS, 3)


def customer_hours() -> Rows:
    """By hour of creation, kitchen, brand and account: orders, first, last."""
    return _read(_CUSTOMER_HOURS, 4)


def customer_months() -> Rows:
    """By month of creation and account: orders."""
    return _read(_CUSTOMER_MONTHS, 2)


def sales(period: str) -> Rows:
    """By period (hour, day, month) of creation, kitchen, brand and PLU: orders that have it."""
    return _read(_SALES.format(period=period), 4)


def ready_times(period: str) -> Rows:
    """By period in which items got ready first, kitchen, brand and PLU: count, microseconds, and a list of the 50th,
    90th and 95th percentile."""
    return _read(_STEPS + _READY_TIMES.format(period=period), 4)


def product_names() -> Rows:
    """By brand and PLU: the latest name, when it was ordered, by which order."""
    return _read(_NAMES, 2)


def moves() -> Rows:
    """By hour, kitchen, slot of ten seconds, status and actor: how many orders were moved."""
    return _read(_MOVES, 5)


def _read(query: str, keys: int) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[:keys]: row[keys:] for row in cursor.fetchall()}
