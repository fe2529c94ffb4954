"""The change feed's watermark: the transaction id below which every committed row is visible (ADR 3).

Readers stop there, so a transaction that starts early and commits late is never skipped. On one server it is the oldest
transaction with an id that may still be running. On a Citus cluster, transactions prepared on any node hold it back
too: the coordinator's part ends shortly before the nodes commit, and after a crash up to a minute before.
"""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from orders import cluster

# The first transaction id that may still be open, in the feed's own count (see `feed.raise_offset`).
WATERMARK: Final = """
    ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      + coalesce((SELECT value FROM orders_feedoffset), 0))::text::xid8)
"""
_READ: Final = f"SELECT {WATERMARK}::text::bigint, {cluster.IS_ONE}"


@dataclass(frozen=True, slots=True)
class Watermark:
    """`tx`: everything below it is visible. None where that isn't known yet: the feed then waits."""

    tx: int | None
    in_cluster: bool = False


def read_watermark() -> Watermark:
    """One statement; on a cluster one more for each node."""
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        tx, in_cluster = cursor.fetchone()
    return Watermark(None if in_cluster and not cluster.is_settled() else int(tx), in_cluster)
