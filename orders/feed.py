"""The change feed: reads history entries in the order of their transactions, without gaps (ADR 3).

Each row stores the id of the transaction that wrote it. A transaction gets its id when it first writes, so one that
begins early and commits late has a small id: sorted by id alone, its rows would appear behind a reader's cursor.
Reading therefore stops at the watermark (`orders/watermark.py`), below which every transaction has ended. The feed
waits while a writer is open; it never skips.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from orders.cursors import decrypted, encrypted, packed, unpacked
from orders.models import HISTORY_COLUMNS, FeedOffset, HistoryEntry
from orders.watermark import WATERMARK, read_watermark

_LIST = "events"


class BadCursor(ValueError):
    """The text is not a cursor of this feed."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the feed: everything up to and including this entry has been read."""

    tx: int = 0
    order_id: str = ""
    sequence: int = 0

    @classmethod
    def of(cls, entry: HistoryEntry) -> "Cursor":
        """The place of an entry that the feed gave."""
        return cls(entry.tx, entry.order_id, entry.sequence)

    def __str__(self) -> str:
        """As our own readers store it."""
        return packed(self._place())

    def for_clients(self) -> str:
        """Encrypted: it may name an order that they may not see."""
        return encrypted(self._place(), of=_LIST)

    def _place(self) -> str:
        return f"{self.tx}.{self.sequence}.{self.order_id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises BadCursor."""
        try:
            return cls._at(unpacked(text))
        except ValueError:
            raise BadCursor(text) from None

    @classmethod
    def from_client(cls, text: str) -> "Cursor":
        """Raises BadCursor for anything but the text of `for_clients`."""
        try:
            return cls._at(decrypted(text, of=_LIST))
        except ValueError:
            raise BadCursor(text) from None

    @classmethod
    def _at(cls, text: str) -> "Cursor":
        """Raises ValueError."""
        tx, sequence, order_id = text.split(".", 2)
        cursor = cls(int(tx), order_id, int(sequence))
        if not 0 <= cursor.tx < 1 << 63 or not 0 <= cursor.sequence < 1 << 31 or "\x00" in order_id:
            raise BadCursor(text)
        return cursor


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor` is where to continue; `more`: there are more entries now. `in_cluster`: orders lie on several nodes."""

    events: list[HistoryEntry]
    cursor: Cursor
    more: bool
    in_cluster: bool = False


_READ = f"""
    SELECT {", ".join(f"c.{column}" for column in HISTORY_COLUMNS)}, c.tx::text::bigint
    FROM orders_statuschange c {{join}}
    WHERE (c.tx, c.order_id, c.sequence) > (%s::text::xid8, %s, %s) AND c.tx < %s::text::xid8 {{where}}
    ORDER BY c.tx, c.order_id, c.sequence LIMIT %s
"""  # noqa: S608 (our own columns)

_LAST = """
    SELECT tx::text::bigint, order_id, sequence FROM orders_statuschange WHERE tx < %s::text::xid8
    ORDER BY tx DESC, order_id DESC, sequence DESC LIMIT 1
"""


def read(after: Cursor | None = None, *, limit: int = 500, kitchen: str | None = None) -> Page:
    """Up to `limit` entries after `after`, of one kitchen or of all, oldest first.

    At the end of the feed, the page's cursor stands at the last entry of all kitchens, so that a reader of a quiet
    kitchen does not scan the others' entries again. It never lies beyond what is stored: after a crash or a failover,
    PostgreSQL may reuse ids that no row carries.
    """
    after = after or Cursor()
    watermark = read_watermark()
    if watermark.tx is None:
        return Page([], after, more=False, in_cluster=watermark.in_cluster)
    join = where = ""
    parameters: list[Any] = [str(after.tx), after.order_id, after.sequence, str(watermark.tx)]
    if kitchen is not None:
        join, where = "JOIN orders_order o ON o.id = c.order_id", "AND o.kitchen_id = %s"
        parameters.append(kitchen)
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(join=join, where=where), [*parameters, limit + 1])
        events = [HistoryEntry(*row) for row in cursor.fetchall()]
        more = len(events) > limit
        if more:
            del events[limit:]
        last = Cursor.of(events[-1]) if events else after
        if kitchen is not None and not more:
            cursor.execute(_LAST, [str(watermark.tx)])
            last = max([last, *(Cursor(*row) for row in cursor.fetchall())])
    return Page(events, last, more, watermark.in_cluster)


def end() -> Cursor:
    """Where the feed ends now, or its beginning where that isn't known: whatever becomes readable later comes after
    it."""
    return Cursor(read_watermark().tx or 0)


def preceding(events: Iterable[HistoryEntry], after: Cursor) -> list[tuple[str, int]]:
    """Order and sequence of the entries that come before `events` in their orders, but after `after` in the feed.

    For readers that need each order's entries in sequence: a transaction may get its id before it gets the order's
    lock, so the feed can give a later entry of an order first.
    """
    last: dict[str, int] = {}
    for event in events:
        last[event.order_id] = max(last.get(event.order_id, 0), event.sequence)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.order_id, c.sequence FROM unnest(%s::text[], %s::int[]) AS last (order_id, sequence)
            JOIN orders_statuschange c ON c.order_id = last.order_id AND c.sequence < last.sequence
            WHERE (c.tx, c.order_id, c.sequence) > (%s::text::xid8, %s, %s)
            """,
            [list(last), list(last.values()), str(after.tx), after.order_id, after.sequence],
        )
        return [(order_id, sequence) for order_id, sequence in cursor.fetchall()]


def unread(order_ids: Sequence[str], after: Cursor) -> set[str]:
    """Which of these orders have entries after `after`, whether the feed can read them yet or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT order_id FROM orders_statuschange
            WHERE order_id = ANY(%s) AND (tx, order_id, sequence) > (%s::text::xid8, %s, %s)
            """,
            [list(order_ids), str(after.tx), after.order_id, after.sequence],
        )
        return {order_id for (order_id,) in cursor.fetchall()}


def read_already(rows: Sequence[tuple[str, int]], upto: Cursor) -> list[tuple[str, int]]:
    """Those of `rows` (order, sequence) that a reader at `upto` has read, along with all entries before them in their
    orders."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_id, min(sequence) FROM orders_statuschange
            WHERE order_id = ANY(%s) AND (tx, order_id, sequence) > (%s::text::xid8, %s, %s) GROUP BY order_id
            """,
            [sorted({order_id for order_id, _ in rows}), str(upto.tx), upto.order_id, upto.sequence],
        )
        behind: dict[str, int] = dict(cursor.fetchall())
    return [
        (order_id, sequence) for order_id, sequence in rows if sequence < behind.get(order_id, sequence + 1)
    ]


def first_after(after: Cursor) -> datetime | None:
    """When the first entry after `after` was recorded, readable or not; None where there is none. Says how far behind a
    reader is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT recorded_at FROM orders_statuschange WHERE (tx, order_id, sequence) > (%s::text::xid8, %s, %s)
            ORDER BY tx, order_id, sequence LIMIT 1
            """,
            [str(after.tx), after.order_id, after.sequence],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def lag_seconds() -> float:
    """Age of the oldest entry that can't be read yet, in seconds; 0 where all can. It grows while a transaction that
    writes stays open anywhere on the server. Reads 1,000 entries at most, because health checks call it."""
    with connection.cursor() as cursor:
        # A statement of its own: inside the other one each node of a cluster would use its own snapshot.
        cursor.execute(f"SELECT {WATERMARK}::text::bigint")
        (open_from,) = cursor.fetchone()
        cursor.execute(
            """
            SELECT extract(epoch FROM now() - min(recorded_at)) FROM (
                SELECT recorded_at FROM orders_statuschange WHERE tx >= %s::text::xid8 ORDER BY tx LIMIT 1000
            ) unreadable
            """,
            [str(open_from)],
        )
        (age,) = cursor.fetchone()
    return max(0.0, float(age or 0))


def rows_ahead() -> bool:
    """Whether stored rows carry ids that this server has not reached, as after a restore into another server: new rows
    would sort before old ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce((SELECT tx::text::bigint FROM orders_statuschange ORDER BY tx DESC LIMIT 1), 0)
                   >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                      + coalesce((SELECT value FROM orders_feedoffset), 0)
            """
        )
        return bool(cursor.fetchone()[0])


# A reader may be ahead of the backup: new rows must lie beyond any id that the old server can have reached since.
_BEYOND_READERS = 1 << 32


def raise_offset() -> int:
    """Raise the feed's offset so that new rows sort after the stored ones; returns it.

    For `restore` into another server, with nothing else writing. The offset is part of the column's default (so that it
    costs an insert nothing) and is stored in `orders_feedoffset` (for readers). Changes nothing where no row is ahead.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE orders_statuschange IN ACCESS EXCLUSIVE MODE")
        if not rows_ahead():
            return FeedOffset.current()
        cursor.execute(
            """
            SELECT (SELECT tx::text::bigint FROM orders_statuschange ORDER BY tx DESC LIMIT 1)
                   - pg_current_xact_id()::text::bigint + %s
            """,
            [_BEYOND_READERS],
        )
        offset = int(cursor.fetchone()[0])
        FeedOffset.objects.update_or_create(id=1, defaults={"value": offset})
        cursor.execute(
            "ALTER TABLE orders_statuschange ALTER COLUMN tx "
            f"SET DEFAULT ((pg_current_xact_id()::text::bigint + {offset})::text::xid8)"
        )
    return offset
