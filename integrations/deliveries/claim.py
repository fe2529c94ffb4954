"""Which deliveries are to be sent now: those of a sink that doesn't rest, with nothing of their order before them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection

from integrations.deliveries.kinds import PendingDelivery
from orders import clock
from orders.statements import without_prepared_statements

# Longer than a try can take, with some for the way to it.
LEASE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is leased to us. `failures`: those of its sink in a row, until now."""

    due: PendingDelivery
    kind: str
    failures: int


# Proven sinks answered well the last time. A lease of another run counts for nothing: who claims holds the loop. Our
# own counts until we end it, whatever the clock says: set forward, it would have us send once more what is under way.
# `state + 0` keeps the planner from the index of what waits for a sink, where it would look through all of it for each
# delivery: what concerns one order is found by the index that begins with the order.
_CLAIM_SQL: Final = """
    WITH picked AS (
        SELECT found.id, s.kind, s.failures
        FROM integrations_sink s
        LEFT JOIN unnest(%(busy)s::text[], %(places)s::int[]) AS taken (sink_id, places) ON taken.sink_id = s.id
        CROSS JOIN LATERAL (
            SELECT d.id, d.next_attempt_at FROM integrations_delivery d
            WHERE d.sink_id = s.id AND {waiting} AND d.next_attempt_at <= %(now)s
              AND (d.leased_until IS NULL OR d.leased_by <> %(me)s)
              AND NOT EXISTS (
                  SELECT FROM integrations_delivery before
                  WHERE before.order_id = d.order_id AND before.sink_id = d.sink_id AND before.state + 0 = 1
                    AND (before.sequence, before.step) < (d.sequence, d.step)
              )
            ORDER BY d.next_attempt_at, d.id
            LIMIT coalesce(taken.places, %(most)s)
            FOR UPDATE SKIP LOCKED
        ) found
        WHERE {sinks} s.disabled_at IS NULL AND s.deleted_at IS NULL AND (s.retry_at IS NULL OR s.retry_at <= %(now)s)
          AND (s.failures = 0 AND s.last_success_at IS NOT NULL) = %(proven)s
        ORDER BY s.failures, found.next_attempt_at
        LIMIT %(limit)s
    )
    UPDATE integrations_delivery d SET leased_until = %(until)s, leased_by = %(me)s
    FROM picked WHERE d.id = picked.id
    RETURNING d.id, d.sink_id, d.order_id, d.sequence, d.step, d.event_type, d.at, d.attempts + 1,
              picked.kind, picked.failures
"""


_CLAIM: Final = _CLAIM_SQL.format(waiting="d.state = 1", sinks="")
_CLAIM_OF_ORDERS: Final = _CLAIM_SQL.format(
    waiting="d.order_id = ANY(%(orders)s) AND d.state + 0 = 1", sinks="s.id = ANY(%(sinks)s) AND"
)


def claim(
    me: str,
    *,
    proven: bool,
    limit: int,
    most: int,
    places: Mapping[str, int],
    ended: Collection[tuple[str, str]] | None = None,
) -> list[Claimed]:
    """Lease up to `limit` deliveries to `me`; of one sink up to `most`, or up to what `places` says of it.

    With `ended`, sinks and orders of deliveries that have just ended, only what follows them.
    """
    if limit <= 0 or most <= 0 or (ended is not None and not ended):
        return []
    now = clock.now()
    with without_prepared_statements(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM if ended is None else _CLAIM_OF_ORDERS,
            {
                "sinks": sorted({sink_id for sink_id, _ in ended or ()}),
                "orders": sorted({order_id for _, order_id in ended or ()}),
                "busy": list(places),
                "places": [max(0, free) for free in places.values()],
                "most": most,
                "limit": limit,
                "proven": proven,
                "now": now,
                "until": now + LEASE,
                "me": me,
            },
        )
        return [Claimed(PendingDelivery(*row[:8]), *row[8:]) for row in cursor.fetchall()]


def unclaim(me: str, ids: list[int]) -> None:
    """Give back what was not tried after all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_delivery SET leased_until = NULL, leased_by = '' "
            "WHERE id = ANY(%s) AND leased_by = %s",
            [ids, me],
        )
