"""Alarms for what was cancelled on the wall: raised with the cancellation, standing until somebody has seen it."""

from datetime import timedelta
from typing import Final

from kitchen_display import hints
from kitchen_display.models import Alarm, Screen
from orders import clock
from orders.history import Change
from orders.models import Order
from orders.statuses import CANCELLED, FIRST, Kind

# A wall that nobody has looked at since yesterday needs no old alarms.
KEPT: Final = timedelta(hours=24)


def raise_alarms(order: Order, change: Change) -> None:
    """For the order, else for each item, that `change` cancels; only where it was on a wall that somebody watches.

    Costs nothing but a look at the rows for all other changes.
    """
    cancelled = [
        row.plu or ""
        for row in change.rows
        if row.to_status == CANCELLED and row.from_status and row.kind == Kind.TRANSITION
    ]
    if not cancelled or not _was_on_wall(order, change):
        return
    if not Screen.objects.watching().filter(kitchen_id=order.kitchen_id).exists():
        return
    Alarm.objects.bulk_create(
        [
            Alarm(order_id=order.id, plu=plu, kitchen_id=order.kitchen_id, raised_at=change.at)
            for plu in ([""] if "" in cancelled else cancelled)
        ],
        ignore_conflicts=True,
    )


def _was_on_wall(order: Order, change: Change) -> bool:
    """Not what still waited in the rail: nobody had begun it."""
    first = change.rows[0]
    before = first.from_status if first.plu is None else order.status
    released = order.due_at - timedelta(minutes=order.kitchen.release_minutes) <= change.at
    return released or (before or FIRST) > FIRST


def acknowledge(screen: Screen, order_id: str, plu: str | None) -> int:
    """Somebody at `screen` has seen the alarms of an order, or of one item. Returns how many that ended."""
    standing = Alarm.objects.filter(
        order_id=order_id, kitchen_id=screen.kitchen_id, acknowledged_at__isnull=True
    )
    if plu is not None:
        standing = standing.filter(plu=plu)
    ended = standing.update(acknowledged_at=clock.now(), acknowledged_by=screen.actor)
    if ended:
        hints.publish_on_commit(screen.kitchen_id)
    return ended


def purge_alarms() -> int:
    """Remove what is older than KEPT, acknowledged or not."""
    return Alarm.objects.filter(raised_at__lt=clock.now() - KEPT).delete()[0]
