"""Bringing the rollups up to date: what is new in the change feed is added, page by page.

A page is one transaction: it takes the advisory lock, reads on from the stored cursor, adds to the rollups and
stores the cursor. So it counts as a whole or not at all, may be killed anywhere, and two at once take turns.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Final

from django.db import connection, transaction

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
from orders.distribution import ORDER_ID
from orders.models import HistoryEntry
from orders.statuses import CANCELLED, OPEN, Kind

PAGE: Final = 2000
# Where a great backlog is worked off: a page's fixed costs are shared by more rows.
BACKLOG_PAGE: Final = 10 * PAGE
# Rows of rollups that one transaction deletes: while it runs, the change feed stands still for all of its readers.
PORTION: Final = 20_000
# Instead of a number of rules: the rollups are being emptied.
_EMPTYING: Final = 0
# Of the advisory lock; any number that nothing else in this database uses.
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
    """`changes`: rows of the history that were read. `complete`: nothing that can be read is left."""

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
    """Add what is new to the rollups. Stops after `max_pages`, or at the first page that ends after `seconds`.

    A page waits for another one that runs, for as long as `lock_timeout` lets it; then OperationalError rises. Without
    an end (`seconds` infinite) it waits however long that takes.
    `page_size` None: small, then large ones while there is a backlog. `show` is told how many rows were read so far.
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
    """Make the rollups anew; returns how many rows of the history were read.

    While it runs, the numbers grow from nothing. Killed, it is finished by the next refresh.
    """
    with transaction.atomic():
        _start_anew(_locked_progress(patient=True))
    return refresh(page_size=page_size, seconds=float("inf"), show=show).changes


def _start_anew(progress: Progress) -> None:
    progress.cursor, progress.rules = "", _EMPTYING
    progress.save(update_fields=["cursor", "rules"])


def _empty_a_portion(progress: Progress) -> None:
    """Delete up to PORTION rows; when none are left, the rollups are ready to be made by the rules of this release."""
    if progress.rules != _EMPTYING:
        _start_anew(progress)
    left = PORTION
    with connection.cursor() as cursor:
        # Not TRUNCATE: that would make readers wait.
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
    """Since the last refresh; None: there has never been one."""
    at = Progress.objects.values_list("refreshed_at", flat=True).first()
    return None if at is None else max(0.0, (clock.now() - at).total_seconds())


def lag_seconds() -> float:
    """Age of the oldest change that the figures could know and don't, in seconds; 0 where there is none."""
    place = Progress.objects.values_list("cursor", flat=True).first()
    events = feed.read(feed.Cursor.parse(place) if place else None, limit=1).events
    return max(0.0, (clock.now() - events[0].recorded_at).total_seconds()) if events else 0.0


def lock(*, patient: bool = False) -> None:
    """Only one transaction writes to the rollups at a time: waits for the others, `patient` however long."""
    with connection.cursor() as cursor:
        if patient:
            cursor.execute("SET LOCAL lock_timeout = 0")
        # A statement of its own: what the others see must have been taken after the lock is held.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _locked_progress(*, patient: bool) -> Progress:
    """The stored progress, for the transaction that is open to write on."""
    lock(patient=patient)
    return Progress.objects.get_or_create(id=1, defaults={"rules": RULES})[0]


def _refresh_page(page_size: int, *, patient: bool) -> tuple[int, bool, datetime]:
    with transaction.atomic():
        progress = _locked_progress(patient=patient)
        if progress.rules != RULES:
            # Made by another release, or to be made anew: sums of two rules would mean nothing.
            _empty_a_portion(progress)
            return 0, True, progress.refreshed_at or clock.now()
        after = feed.Cursor.parse(progress.cursor) if progress.cursor else None
        page = feed.read(after, limit=page_size)
        Rollups(_rows(page)).store()
        progress.cursor, progress.refreshed_at = str(page.cursor), clock.now()
        progress.save(update_fields=["cursor", "refreshed_at"])
    return len(page.events), page.more, progress.refreshed_at


# When an order was due, as it was known at a change of it: amendments since then are looked past, so that a row adds
# the same whenever it is read. A change has the number of the version that it made.
_DUE: Final = """
    coalesce((
        SELECT (part->>'before')::timestamptz FROM orders_amendment a, jsonb_array_elements(a.changes) AS part
        WHERE a.order_id = {row}.order_id AND a.version > {row}.change AND part->>'field' = 'due_at'
        ORDER BY a.version LIMIT 1
    ), o.due_at)
"""
# Each part is a look at the history of one order by its key, so the cost follows the number of rows given. The rows
# looked at have lower sequences; they were stored before, so they are there even where the feed gives them later.
_FACTS = f"""
    SELECT o.kitchen_id, o.brand_id, o.channel, o.account, o.created_at, due.at, before.at,
           given.kind = %(recall)s AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = given.order_id AND c.sequence < given.sequence AND c.kind = %(recall)s
           ),
           given.plu IS NULL AND given.status = ANY(%(done)s) AND given.at > due.at AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = given.order_id AND c.sequence < given.sequence AND c.plu IS NULL
                 AND c.to_status = ANY(%(done)s) AND (c.from_status = ANY(%(done)s)) IS NOT TRUE
                 AND c.at > {_DUE.format(row="c")}
           ),
           given.kind = %(import)s AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = given.order_id AND c.sequence < given.sequence AND c.kind = %(import)s
           ),
           given.plu IS NULL AND given.kind <> %(recall)s AND given.status <> %(cancelled)s
           AND given.status - coalesce(given.from_status, 0) > 1 AND EXISTS (
               SELECT FROM orders_statuschange c
               WHERE c.order_id = given.order_id AND c.sequence < given.sequence AND c.plu IS NULL
                 AND c.kind <> %(recall)s AND c.to_status <> %(cancelled)s
                 AND c.to_status - coalesce(c.from_status, 0) > 1
           ),
           item.first_at, named.name
    FROM unnest(%(ids)s::text[], %(sequences)s::int[], %(plus)s::text[], %(kinds)s::int[], %(froms)s::int[],
                %(statuses)s::int[], %(times)s::timestamptz[], %(changes)s::int[])
         WITH ORDINALITY AS given (order_id, sequence, plu, kind, from_status, status, at, change, place)
    JOIN orders_order o ON o.id = given.order_id
    CROSS JOIN LATERAL (SELECT {_DUE.format(row="given")} AS at) due
    LEFT JOIN LATERAL (
        SELECT c.at FROM orders_statuschange c
        WHERE c.order_id = given.order_id AND c.sequence < given.sequence
          AND c.plu IS NOT DISTINCT FROM given.plu
        ORDER BY c.sequence DESC LIMIT 1
    ) before ON given.from_status = ANY(%(open)s)
    LEFT JOIN LATERAL (
        SELECT (array_agg(c.at ORDER BY c.sequence))[1] AS first_at
        FROM orders_statuschange c
        WHERE c.order_id = given.order_id AND c.sequence < given.sequence AND c.plu = given.plu
        HAVING bool_or(c.to_status = ANY(%(done)s)) IS FALSE
    ) item ON given.plu IS NOT NULL AND given.status = ANY(%(done)s) AND given.from_status <> ALL(%(done)s)
    LEFT JOIN orders_orderitem named
        ON given.from_status IS NULL AND named.order_id = given.order_id AND named.plu = given.plu
    ORDER BY given.place
"""  # noqa: S608 (only constants are put in)


# On a cluster no machine has all of these orders: what the statement looks at is gathered on the coordinator first,
# under the tables' own names.
_GATHER: Final = ", ".join(
    f"{table} AS MATERIALIZED (SELECT * FROM {table} WHERE {column} = ANY(%(ids)s))"  # noqa: S608
    for table, column in ORDER_ID.items()
)
_GATHERED: Final = f"WITH {_GATHER} {_FACTS}"
# What is gathered has no index, so the cost grows with the square of how many are asked about.
GATHERED_AT_ONCE: Final = 250


def _rows(page: feed.Page) -> list[Row]:
    """The page's events with what analytics.rules asks about each."""
    if not page.in_cluster:
        return _with_facts(_FACTS, page.events)
    parts = batched(page.events, GATHERED_AT_ONCE)
    return [row for events in parts for row in _with_facts(_GATHERED, events)]


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
