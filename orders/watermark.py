"""How far the change feed may be read: below the horizon nothing can appear any more (ADR 3).

On one server that is the oldest transaction with an id that may still be running. On the coordinator of a cluster it
isn't enough: a transaction that wrote on several machines has ended on the coordinator a moment before its machines
are told to commit, and after a crash that moment may last a minute. So what is prepared anywhere is waited for.
"""

import time
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

# The first transaction id that may still be open, in the feed's own count (see `feed.raise_offset`).
HORIZON: Final = """
    ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      + coalesce((SELECT value FROM orders_feedoffset), 0))::text::xid8)
"""
_ASK: Final = f"SELECT {HORIZON}::text::bigint, to_regclass('pg_dist_node') IS NOT NULL"
# What is prepared on each machine of the cluster, by Citus itself. The connections are new ones: what they see is
# what is, not what this transaction's snapshot says.
_PREPARED: Final = """
    SELECT nodeid, success, result FROM run_command_on_all_nodes($$
        SELECT coalesce(string_agg(gid, ' '), '') FROM pg_prepared_xacts
        WHERE database = current_database() AND gid LIKE 'citus\\_%'
    $$)
"""
# Machines are told to commit within milliseconds. What takes longer has lost its coordinator, or a machine is away.
PATIENCE_SECONDS: Final = 1.0
STEP_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Horizon:
    """`tx`: below it all is visible; None where that can't be known yet: then the feed stalls, and never skips."""

    tx: int | None
    in_cluster: bool = False


def horizon() -> Horizon:
    """Costs one statement, on a cluster a question to each machine more."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK)
        found, in_cluster = cursor.fetchone()
    return Horizon(None if in_cluster and not _settled() else int(found), in_cluster)


def _settled() -> bool:
    """Whether all that was prepared at one moment from now on has ended.

    The horizon was taken before: whatever lies below it and isn't visible everywhere is prepared somewhere now.
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
    """What is prepared now, by machine and name; None where a machine doesn't answer."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        answers = cursor.fetchall()
    if not all(success for _, success, _ in answers):
        log.warning("feed_waits_for_a_machine")
        return None
    return {(machine, gid) for machine, _, gids in answers for gid in gids.split()}
