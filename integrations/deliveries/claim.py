"""Claims the deliveries to send now: those of receivers that don't rest, with no earlier event of their order waiting.

How the slots of a process are shared (ADR 17):

1. A healthy receiver, one whose last answer was a success, has at most RECEIVER_LIMIT sends in flight.
2. Any other receiver, one that failed the last time or has never answered, has one.
3. All receivers that are not healthy have at most UNHEALTHY_SHARE of the slots together.

So receivers that fail or hang never take the slots of those that answer.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.db import connection

from integrations.deliveries.kinds import PendingDelivery
from orders import clock
from orders.statements import without_prepared_statements

RECEIVER_LIMIT: Final = 64
UNHEALTHY_RECEIVER_LIMIT: Final = 1
UNHEALTHY_SHARE: Final = 0.5
# Longer than an attempt can take, with some time to begin it.
LEASE: Final = timedelta(seconds=60)


# A lease of another run counts for nothing: the run that claims holds the loop. Our own counts until we end it,
# whatever the clock says: a clock set forward must not send again what is in flight.
# `state + 0` keeps the planner from the index of waiting deliveries, where it would read all of the receiver's for each
# delivery: the rows of one order are found by the index that begins with the order.
_CLAIM_SQL: Final = """
    WITH picked AS (
        SELECT pending.id, s.kind, s.failures
        FROM integrations_sink s
        LEFT JOIN unnest(%(busy)s::text[], %(counts)s::int[]) AS in_flight (sink_id, count) ON in_flight.sink_id = s.id
        CROSS JOIN LATERAL (
            SELECT d.id, d.next_attempt_at FROM integrations_delivery d
            WHERE d.sink_id = s.id AND {waiting} AND d.next_attempt_at <= %(now)s
              AND (d.leased_until IS NULL OR d.leased_by <> %(run)s)
              AND NOT EXISTS (
                  SELECT FROM integrations_delivery earlier
                  WHERE earlier.order_id = d.order_id AND earlier.sink_id = d.sink_id AND earlier.state + 0 = 1
                    AND (earlier.sequence, earlier.step) < (d.sequence, d.step)
              )
            ORDER BY d.next_attempt_at, d.id
            LIMIT greatest(0, %(receiver_limit)s - coalesce(in_flight.count, 0))
            FOR UPDATE SKIP LOCKED
        ) pending
        WHERE {sinks} s.disabled_at IS NULL AND s.deleted_at IS NULL AND (s.retry_at IS NULL OR s.retry_at <= %(now)s)
          AND (s.failures = 0 AND s.last_success_at IS NOT NULL) = %(healthy)s
        ORDER BY s.failures, pending.next_attempt_at
        LIMIT %(limit)s
    )
    UPDATE integrations_delivery d SET leased_until = %(until)s, leased_by = %(run)s
    FROM picked WHERE d.id = picked.id
    RETURNING d.id, d.sink_id, d.order_id, d.sequence, d.step, d.event_type, d.at, d.attempts + 1,
              picked.kind, picked.failures
"""


_CLAIM: Final = _CLAIM_SQL.format(waiting="d.state = 1", sinks="")
_CLAIM_OF_ORDERS: Final = _CLAIM_SQL.format(
    waiting="d.order_id = ANY(%(orders)s) AND d.state + 0 = 1", sinks="s.id = ANY(%(sinks)s) AND"
)


def claim(
    run_id: str,
    *,
    healthy: bool,
    limit: int,
    in_flight: Mapping[str, int],
    following: Collection[tuple[str, str]] | None = None,
) -> list[PendingDelivery]:
    """Lease up to `limit` deliveries of receivers that are healthy, or of those that are not, to a run of the loop.

    `in_flight`: how many each receiver has already. With `following`, receivers and orders of deliveries that have just
    ended, only what comes next in these orders.
    """
    if limit <= 0 or (following is not None and not following):
        return []
    now = clock.now()
    with without_prepared_statements(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM if following is None else _CLAIM_OF_ORDERS,
            {
                "sinks": sorted({sink_id for sink_id, _ in following or ()}),
                "orders": sorted({order_id for _, order_id in following or ()}),
                "busy": list(in_flight),
                "counts": list(in_flight.values()),
                "receiver_limit": RECEIVER_LIMIT if healthy else UNHEALTHY_RECEIVER_LIMIT,
                "limit": limit,
                "healthy": healthy,
                "now": now,
                "until": now + LEASE,
                "run": run_id,
            },
        )
        return [PendingDelivery(*row) for row in cursor.fetchall()]


def release(run_id: str, ids: list[int]) -> None:
    """Give back deliveries that were not tried."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_delivery SET leased_until = NULL, leased_by = '' "
            "WHERE id = ANY(%s) AND leased_by = %s",
            [ids, run_id],
        )
