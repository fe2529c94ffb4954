"""The change feed's watermark: the transaction id below which every committed row is visible (ADR 3).

Readers stop there, so a transaction that starts early and commits late is never skipped. On one server it is the oldest
transaction with an id that may still be running. On a Citus cluster, transactions prepared on any node hold it back
too: the coordinator's part ends shortly before the nodes commit, and after a crash up to a minute before.
"""

import time
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

# The first transaction id that may still be open, in the feed's own count (see `feed.raise_offset`).
WATERMARK: Final = """
    ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      + coalesce((SELECT value FROM orders_feedoffset), 0))::text::xid8)
"""
_READ: Final = f"SELECT {WATERMARK}::text::bigint, to_regclass('pg_dist_node') IS NOT NULL"
# What Citus itself has prepared on each node. It opens new connections, so they see the present, not this transaction's
# snapshot.
_PREPARED: Final = """
    SELECT nodeid, success, result FROM run_command_on_all_nodes($$
        SELECT coalesce(string_agg(gid, ' '), '') FROM pg_prepared_xacts
        WHERE database = current_database() AND gid LIKE 'citus\\_%'
    $$)
"""
# Nodes commit within milliseconds. What takes longer has lost its coordinator, or a node is down.
PATIENCE_SECONDS: Final = 1.0
STEP_SECONDS: Final = 0.01


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
    return Watermark(None if in_cluster and not _settled() else int(tx), in_cluster)


def _settled() -> bool:
    """Wait until everything that is prepared now has ended; false where that takes longer than PATIENCE_SECONDS.

    The watermark was read before: whatever lies below it and isn't visible everywhere is prepared somewhere now.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = _prepared()
    while waiting:
        if time.monotonic() > deadline:
            log.warning("feed_waits_for_prepared_transactions", count=len(waiting))
            return False
        time.sleep(STEP_SECONDS)
        still = _prepared()
        waiting = None if still is None else waiting & still
    return waiting is not None


def _prepared() -> set[tuple[int, str]] | None:
    """What is prepared now, by node and name; None where a node doesn't answer."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        answers = cursor.fetchall()
    if not all(success for _, success, _ in answers):
        log.warning("feed_waits_for_a_machine")
        return None
    return {(node, gid) for node, _, gids in answers for gid in gids.split()}
