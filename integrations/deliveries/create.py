"""Creates deliveries: one for each new event of the change feed and each receiver that wants it.

A page is one transaction: the lock, the page, its deliveries, the cursor.
"""

from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from django.db.models import Count, Q

from integrations.deliveries import progress
from integrations.deliveries.schedule import clock_watch, shorten_waits
from integrations.events import CREATED, ITEM_STATUS_CHANGED, LATE, RECALLED, STATUS_CHANGED
from integrations.models import Delivery, DeliveryProgress, Sink
from orders import clock, feed
from orders.statements import without_prepared_statements
from orders.statuses import UNREADY, Kind, in_sql

PAGE: Final = 1000
# Of one transaction, where many receivers want each event: after a few seconds the loop counts as dead.
MAX_ROWS: Final = 50_000
LATE_BATCH: Final = 200

# The event of a row of the history, if any: the first row of an order stands for its whole first change.
_EVENT: Final = f"""
    CASE WHEN c.sequence = 1 THEN '{CREATED}'
         WHEN c.change = 1 THEN NULL
         WHEN c.plu IS NOT NULL THEN '{ITEM_STATUS_CHANGED}'
         WHEN c.kind = {Kind.RECALL:d} THEN '{RECALLED}'
         ELSE '{STATUS_CHANGED}' END
"""
# The events, as CTEs of which the last is `e`. Orders by themselves: on a cluster, receivers and late notes are not
# distributed.
_CHANGES: Final = f"""
    e AS MATERIALIZED (
        SELECT c.order_id, c.sequence, {Delivery.Step.CHANGE:d} AS step, {_EVENT} AS event, c.recorded_at AS at,
               o.kitchen_id, o.channel
        FROM unnest(%(ids)s::text[], %(sequences)s::int[]) AS entry (order_id, sequence)
        JOIN orders_statuschange c ON c.order_id = entry.order_id AND c.sequence = entry.sequence
        JOIN orders_order o ON o.id = c.order_id
    )
"""  # noqa: S608
_LATE: Final = f"""
    o AS MATERIALIZED (
        SELECT o.id, o.kitchen_id, o.channel
        FROM unnest(%(ids)s::text[]) AS late (order_id) JOIN orders_order o ON o.id = late.order_id
    ),
    e AS (
        SELECT n.order_id, n.sequence, {Delivery.Step.AFTER:d} AS step, '{LATE}' AS event, n.noted_at AS at,
               o.kitchen_id, o.channel
        FROM o JOIN integrations_latenote n ON n.order_id = o.id
    )
"""  # noqa: S608
_INSERT: Final = """
    INSERT INTO integrations_delivery
        (sink_id, order_id, sequence, step, event_type, at, created_at,
         state, attempts, next_attempt_at, leased_by, log)
    WITH {events}
    SELECT s.id, e.order_id, e.sequence, e.step, e.event, e.at, %(now)s, {waiting:d}, 0, %(now)s, '', '[]'
    FROM e
    JOIN integrations_sink s ON e.event = ANY (s.events) AND s.channel IN ('', e.channel)
        AND (s.kitchen_id IS NULL OR s.kitchen_id = e.kitchen_id)
    WHERE {sinks}
    -- Else the plan would choose the order of their ids, by which they are listed.
    ORDER BY e.order_id, e.sequence, e.step, s.id
    ON CONFLICT (order_id, sink_id, sequence, step) {conflict}
"""
_WANTING: Final = "s.disabled_at IS NULL AND s.deleted_at IS NULL AND (s.begun OR e.at >= s.created_at)"
_ONE_SINK: Final = "s.id = %(sink)s"
_AGAIN: Final = """DO UPDATE SET state = excluded.state, attempts = 0, created_at = excluded.created_at,
    next_attempt_at = excluded.next_attempt_at, leased_until = NULL, leased_by = '', finished_at = NULL"""


def _insert(events: str, sinks: str, conflict: str) -> str:
    return _INSERT.format(events=events, sinks=sinks, conflict=conflict, waiting=Delivery.State.WAITING)


_CREATE_CHANGES: Final = _insert(_CHANGES, _WANTING, "DO NOTHING")
_CREATE_LATE: Final = _insert(_LATE, _WANTING, "DO NOTHING")
_REPEAT_CHANGES: Final = _insert(_CHANGES, _ONE_SINK, _AGAIN)
_REPEAT_LATE: Final = _insert(_LATE, _ONE_SINK, _AGAIN)


def make_deliveries(*, page_size: int = PAGE, late: bool = False) -> tuple[int, bool]:
    """Read one page of the feed and create its deliveries; with `late`, also those of orders that have become late.

    Returns how many deliveries are new, and whether the feed has more.
    """
    with transaction.atomic():
        progress.lock()
        state = DeliveryProgress.objects.get_or_create(id=1)[0]
        after = feed.Cursor.parse(state.cursor) if state.cursor else feed.Cursor()
        # In this order: a receiver that does not exist yet when the end is taken wants nothing from before it.
        end = feed.end()
        active = Sink.objects.present().filter(disabled_at=None)
        receivers, begun = active.aggregate(all=Count("pk"), begun=Count("pk", filter=Q(begun=True))).values()
        if not receivers:
            count, more, cursor = 0, False, max(after, end)
        else:
            page = feed.read(after, limit=max(1, min(page_size, MAX_ROWS // receivers)))
            count, more, cursor = _create(page), page.more, page.cursor
        if begun < receivers and not more:
            active.filter(begun=False).update(begun=True)
        if late and not more:
            count += _create_late(cursor)
        if str(cursor) != state.cursor:
            state.cursor = str(cursor)
            state.save(update_fields=["cursor"])
        now = clock.now()
        if clock_watch.went_back(now):
            shorten_waits(now)
    clock_watch.note(now)
    return count, more


def _create(page: feed.Page) -> int:
    if not page.events:
        return 0
    rows = [(event.order_id, event.sequence) for event in page.events]
    return _write(_CREATE_CHANGES, [*rows, *feed.preceding(page.events, page.cursor)])


def _create_late(cursor: feed.Cursor) -> int:
    """Note orders that have become late and create their deliveries. Only orders of which everything has been read up
    to `cursor`: later events must follow."""
    now = clock.now()
    with connection.cursor() as db:
        # From the index of open orders.
        db.execute(
            f"""
            WITH o AS MATERIALIZED (
                SELECT id, sequence FROM orders_order WHERE status IN {in_sql(UNREADY)} AND due_at < %s
            )
            SELECT o.id, o.sequence FROM o
            WHERE NOT EXISTS (SELECT FROM integrations_latenote n WHERE n.order_id = o.id)
            LIMIT %s
            """,  # noqa: S608  (statuses of ours)
            [now, LATE_BATCH],
        )
        sequences = dict(db.fetchall())
        if not sequences:
            return 0
        for order_id in feed.unread(list(sequences), cursor):
            del sequences[order_id]
        db.execute(
            """
            INSERT INTO integrations_latenote (order_id, sequence, noted_at)
            SELECT id, sequence, %s FROM unnest(%s::text[], %s::int[]) AS late (id, sequence)
            ON CONFLICT DO NOTHING
            """,
            [now, list(sequences), list(sequences.values())],
        )
        db.execute(_CREATE_LATE, {"ids": list(sequences), "now": now})
        return db.rowcount


def _write(statement: str, rows: Iterable[tuple[str, int]], **parameters: str) -> int:
    # Sorted: two transactions that write the same deliveries then lock them in the same order.
    ordered = sorted(set(rows))
    with without_prepared_statements(), connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "ids": [order_id for order_id, _ in ordered],
                "sequences": [sequence for _, sequence in ordered],
                "now": clock.now(),
                **parameters,
            },
        )
        return cursor.rowcount


def repeat(sink_id: str, rows: Iterable[tuple[str, int]], late_orders: Iterable[str]) -> int:
    """Create the deliveries to one receiver for these rows of the history and late orders, or make them wait again.

    For an open transaction that holds the lock. Returns how many deliveries wait.
    """
    count = _write(_REPEAT_CHANGES, rows, sink=sink_id)
    with connection.cursor() as cursor:
        cursor.execute(_REPEAT_LATE, {"ids": sorted(set(late_orders)), "sink": sink_id, "now": clock.now()})
        return count + cursor.rowcount
