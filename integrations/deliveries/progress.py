"""Which process runs the loop, how far it has read the feed, and the lock for all that writes deliveries."""

from typing import Final

from django.db import connection

from integrations.models import DeliveryProgress
from orders import feed

# How long the loop is held; it is renewed each second.
HOLD_SECONDS: Final = 5
# Of the advisory lock: a number that nothing else in this database uses.
_LOCK: Final = 0x68757576_6864


def hold(run_id: str) -> bool:
    """Take or renew the loop; False where another run has it. Times are the database's own."""
    DeliveryProgress.objects.get_or_create(id=1)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_deliveryprogress
            SET holder = %s, held_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id = 1 AND (holder = %s OR held_until IS NULL OR held_until < clock_timestamp()
                              OR held_until > clock_timestamp() + make_interval(secs => %s))
            """,
            # Nobody holds it for longer than twice that: the clock was set back.
            [run_id, HOLD_SECONDS, run_id, 2 * HOLD_SECONDS],
        )
        return bool(cursor.rowcount)


def release(run_id: str) -> None:
    """Let the next run begin at once."""
    DeliveryProgress.objects.filter(id=1, holder=run_id).update(holder="", held_until=None)


def cursor() -> feed.Cursor:
    """How far the feed was read for deliveries."""
    progress = DeliveryProgress.objects.filter(id=1).first()
    return feed.Cursor.parse(progress.cursor) if progress and progress.cursor else feed.Cursor()


def lock() -> None:
    """Until the open transaction ends, nobody else writes deliveries in numbers."""
    with connection.cursor() as cursor:
        # A statement of its own: the snapshots of later ones must be taken once the lock is held.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
