"""Which process runs the loop, and the lock under which deliveries are made."""

from typing import Final

from django.db import connection

from integrations.models import DeliveryProgress
from orders import feed

# How long the loop counts as alive after its last sign; it renews it each second.
HOLD_SECONDS: Final = 5
# Of the advisory lock; any number that nothing else in this database uses.
_LOCK: Final = 0x68757576_6864


def hold(me: str) -> bool:
    """Take the loop, or keep it; false where another process has it. Times are the database's own."""
    DeliveryProgress.objects.get_or_create(id=1)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_deliveryprogress
            SET holder = %s, held_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id = 1 AND (holder = %s OR held_until IS NULL OR held_until < clock_timestamp()
                              OR held_until > clock_timestamp() + make_interval(secs => %s))
            """,
            # Nobody holds it for longer than that: the clock was set back.
            [me, HOLD_SECONDS, me, 2 * HOLD_SECONDS],
        )
        return bool(cursor.rowcount)


def release(me: str) -> None:
    """Let the next one begin at once."""
    DeliveryProgress.objects.filter(id=1, holder=me).update(holder="", held_until=None)


def cursor() -> feed.Cursor:
    """How far the feed was read for deliveries."""
    state = DeliveryProgress.objects.filter(id=1).first()
    return feed.Cursor.parse(state.cursor) if state and state.cursor else feed.Cursor()


def lock() -> None:
    """For the transaction that is open: nobody else makes deliveries until it ends."""
    with connection.cursor() as cursor:
        # A statement of its own: what the others see must have been taken after the lock is held.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
