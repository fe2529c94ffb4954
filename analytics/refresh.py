"""Refreshes the rollups: adds what is new in the change feed, page by page.

A page is one transaction: it takes the advisory lock, reads on from the stored cursor, adds to the rollups and stores
the new cursor. So it is counted as a whole or not at all, may be killed anywhere, and two at once take turns.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from analytics.models import (
    Customer,
    CustomerHour,
    CustomerMonth,
    HourlyThroughput,
    ItemDuration,
    MoveHour,
    OrderDuration,
    Product,
    ProductSpan,
    Progress,
)
from analytics.rollups import Rollups
from analytics.rules import DONE, RULES, Row
from orders import clock, feed
from orders.cluster import gathered
from orders.models import HistoryEntry, Order
from orders.statuses import CANCELLED, OPEN, Kind

PAGE: Final = 2000
# For a large backlog: a page's fixed costs are shared by more rows.
BACKLOG_PAGE: Final = 10 * PAGE
# Rows that one transaction deletes: while it runs, no reader of the change feed gets anything new.
DELETE_BATCH: Final = 20_000
# Stored instead of RULES while the rollups are being emptied.
_EMPTYING: Final = 0
# Key of the advisory lock; any number that nothing else in this database uses.
_LOCK: Final = 0x68757576_616E
ROLLUPS: Final = (
    OrderDuration,
    ItemDuration,
    HourlyThroughput,
    Customer,
    CustomerHour,
    CustomerMonth,
    Product,
    ProductSpan,
    MoveHour,
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """`changes`: rows of the history that were read. `complete`: all that can be read was read."""

    refreshed_at: datetime
    changes: int
    complete: bool


def refresh(
    *,
    page_size: int | None = None,
    max_pages: int | None = None,
    seconds: float = 240,
    show: Callable[[int], None] | None = None,
) -> Refreshed:
    """Add what is new to the rollups. Stops after `max_pages`, or after the first page that ends past `seconds`.

    A page waits for one that is running, at most for `lock_timeout`; then it raises OperationalError. With infinite
    `seconds` it waits without limit. `page_size` None: a small page, then large ones while there is a backlog. `show`
    is called with the number of rows read so far.
    """
    deadline = time.monotonic() + seconds
    changes = pages = 0
    while True:
        size = page_size or (BACKLOG_PAGE if pages else PAGE)
        number, more, refreshed_at = _refresh_page(size, patient=seconds == float("inf"))
        changes += number
        pages += 1
        if show is not None:
            show(changes)
        if not more or pages == max_pages or time.monotonic() > deadline:
            return Refreshed(refreshed_at, changes, not more)


def rebuild(*, page_size: int = BACKLOG_PAGE, show: Callable[[int], None] | None = None) -> int:
    """Rebuild the rollups; returns how many rows of the history were read.

    Meanwhile the numbers grow from nothing. If it is killed, the next refresh finishes it.
    """
    with transaction.atomic():
        _start_rebuild(_locked_progress(patient=True))
    return refresh(page_size=page_size, seconds=float("inf"), show=show).changes


def _start_rebuild(progress: Progress) -> None:
    progress.cursor, progress.rules = "", _EMPTYING
    progress.save(update_fields=["cursor", "rules"])


def _delete_batch(progress: Progress) -> None:
    """Delete up to DELETE_BATCH rows. When none is left, store RULES, so that the next page can be added."""
    if progress.rules != _EMPTYING:
        _start_rebuild(progress)
    left = DELETE_BATCH
    with connection.cursor() as cursor:
        # Not TRUNCATE, which would block readers.
        for model in ROLLUPS:
            table = model._meta.db_table
            cursor.execute(
                f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} LIMIT %s))",  # noqa: S608
                [left],
            )
            left -= cursor.rowcount
            if left == 0:
                return
    progress.rules = RULES
    progress.save(update_fields=["rules"])


def age_seconds() -> float | None:
    """Since the last refresh; None if there was none."""
    at = Progress.objects.values_list("refreshed_at", flat=True).first()
    return None if at is None else max(0.0, (clock.now() - at).total_seconds())


def lag_seconds() -> float:
    """Age of the oldest change that is not counted yet; 0 if there is none."""
    cursor = Progress.objects.values_list("cursor", flat=True).first()
    events = feed.read(feed.Cursor.parse(cursor) if cursor else None, limit=1).events
    return max(0.0, (clock.now() - events[0].recorded_at).total_seconds()) if events else 0.0


def lock(*, patient: bool = False) -> None:
    """Let only one transaction write to the rollups: waits for the others, without limit if `patient`."""
    with connection.cursor() as cursor:
        if patient:
            cursor.execute("SET LOCAL lock_timeout = 0")
        # A statement of its own: the snapshots of later statements must be taken while the lock is held.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _locked_progress(*, patient: bool) -> Progress:
    """The stored progress, locked for the open transaction."""
    lock(patient=patient)
    return Progress.objects.get_or_create(id=1, defaults={"rules": RULES})[0]


def _refresh_page(page_size: int, *, patient: bool) -> tuple[int, bool, datetime]:
    with transaction.atomic():
        progress = _locked_progress(patient=patient)
        if progress.rules != RULES:
            # Built by another release, or to be rebuilt: sums by two sets of rules would mean nothing.
            _delete_batch(progress)
            return 0, True, progress.refreshed_at or clock.now()
        after = feed.Cursor.parse(progress.cursor) if progress.cursor else None
        page = feed.read(after, limit=page_size)
        Rollups(_rows(page)).store()
        progress.cursor, progress.refreshed_at = str(page.cursor), clock.now()
        progress.save(update_fields=["cursor", "refreshed_at"])
    return len(page.events), page.more, progress.refreshed_at


# When an order was due as known at a row of its history: later amendments are undone, so that a row adds the same
# whenever it is read. Each row has the number of the version that it made.
_DUE: Final = """
    coalesce((
        SELECT (amended->>'before')::timestamptz FROM orders_amendment a, jsonb_array_elements(a.changes) AS amended
        WHERE a.order_id = {row}.order_id AND a.version > {row}.change AND amended->>'field' = 'due_at'
        ORDER BY a.version LIMIT 1
    ), o.due_at)
"""
# Each subquery reads the history of one order by its key, so the cost follows the number of events. The rows it reads
# have lower sequences: they were stored before, so they exist even where the feed returns them later.
_FACTS = f"""
    SELECT o.kitchen_id, o.brand_id, o.channel, o.account, o.created_at, due.at, before.at,
           event.kind = %(recall)s AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = event.order_id AND c.sequence < event.sequence AND c.kind = %(recall)s
           ),
           event.plu IS NULL AND event.status = ANY(%(done)s) AND event.at > due.at AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = event.order_id AND c.sequence < event.sequence AND c.plu IS NULL
                 AND c.to_status = ANY(%(done)s) AND (c.from_status = ANY(%(done)s)) IS NOT TRUE
                 AND c.at > {_DUE.format(row="c")}
           ),
           event.kind = %(import)s AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = event.order_id AND c.sequence < event.sequence AND c.kind = %(import)s
           ),
           event.plu IS NULL AND event.kind <> %(recall)s AND event.status <> %(cancelled)s
           AND event.status - coalesce(event.from_status, 0) > 1 AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = event.order_id AND c.sequence < event.sequence AND c.plu IS NULL
                 AND c.kind <> %(recall)s AND c.to_status <> %(cancelled)s
                 AND c.to_status - coalesce(c.from_status, 0) > 1
           ),
           item.first_at, item_row.name
    FROM unnest(%(ids)s::text[], %(sequences)s::int[], %(plus)s::text[], %(kinds)s::int[], %(froms)s::int[],
                %(statuses)s::int[], %(times)s::timestamptz[], %(changes)s::int[])
         WITH ORDINALITY AS event (order_id, sequence, plu, kind, from_status, status, at, change, place)
    JOIN orders_order o ON o.id = event.order_id
    CROSS JOIN LATERAL (SELECT {_DUE.format(row="event")} AS at) due
    LEFT JOIN LATERAL (
        SELECT c.at FROM orders_statuschange c
        WHERE c.order_id = event.order_id AND c.sequence < event.sequence
          AND c.plu IS NOT DISTINCT FROM event.plu
        ORDER BY c.sequence DESC LIMIT 1
    ) before ON event.from_status = ANY(%(open)s)
    LEFT JOIN LATERAL (
        SELECT (array_agg(c.at ORDER BY c.sequence))[1] AS first_at
        FROM orders_statuschange c
        WHERE c.order_id = event.order_id AND c.sequence < event.sequence AND c.plu = event.plu
        HAVING bool_or(c.to_status = ANY(%(done)s)) IS FALSE
    ) item ON event.plu IS NOT NULL AND event.status = ANY(%(done)s) AND event.from_status <> ALL(%(done)s)
    LEFT JOIN orders_orderitem item_row
        ON event.from_status IS NULL AND item_row.order_id = event.order_id AND item_row.plu = event.plu
    ORDER BY event.place
"""  # noqa: S608 (only constants are put in)


_GATHERED: Final = gathered(_FACTS)
# Gathered rows have no index, so the cost grows with the square of the number of events.
GATHERED_AT_ONCE: Final = 250


def _rows(page: feed.Page) -> list[Row]:
    """The page's events with what analytics.rules needs to know about each."""
    if not page.in_cluster:
        return _with_facts(_FACTS, page.events)
    batches = batched(page.events, GATHERED_AT_ONCE)
    return [row for events in batches for row in _with_facts(_GATHERED, events)]


def _with_facts(statement: str, events: Sequence[HistoryEntry]) -> list[Row]:
    if not events:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "ids": [event.order_id for event in events],
                "sequences": [event.sequence for event in events],
                "plus": [event.plu for event in events],
                "kinds": [event.kind for event in events],
                "froms": [event.from_status for event in events],
                "statuses": [event.to_status for event in events],
                "times": [event.at for event in events],
                "changes": [event.change for event in events],
                "recall": int(Kind.RECALL),
                "import": int(Kind.IMPORT),
                "cancelled": CANCELLED,
                "done": list(DONE),
                "open": list(OPEN),
            },
        )
        return [Row(event, *facts) for event, facts in zip(events, cursor.fetchall(), strict=True)]


def rename_account(sender: type[Order], account: str, to: str, **_: Any) -> None:
    """Receiver of `orders.signals.account_renamed`: the account's figures continue under the new name. It takes the
    refresh's lock, so that no refresh adds to the old name meanwhile."""
    lock()
    Progress.objects.update(renames=F("renames") + 1)
    with connection.cursor() as cursor:
        for model in (Customer, CustomerHour, CustomerMonth):
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET account = %s WHERE account = %s",  # noqa: S608
                [to, account],
            )
