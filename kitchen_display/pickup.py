"""The read of the pickup board: numbers only, nobody's name."""

from dataclasses import dataclass
from datetime import datetime

from core.monotonic import stamp
from kitchen_display.models import Screen
from kitchen_display.page_version import digest, page_version
from kitchen_display.reads import open_orders
from kitchen_display.tickets import milliseconds
from kitchen_display.wall import is_on_wall, release_time
from orders.statuses import READY


@dataclass(frozen=True, slots=True)
class PickupBoard:
    """`preparing` by due time, `ready` with the newest first."""

    screen: Screen
    server_now: datetime
    preparing: list[str]
    ready: list[str]
    version: str
    page_version: str
    next_at: datetime | None
    stamp: str  # core.monotonic's, before the read

    @property
    def server_ms(self) -> int:
        return milliseconds(self.server_now)

    @property
    def next_ms(self) -> int | None:
        return None if self.next_at is None else milliseconds(self.next_at)


def read_pickup(screen: Screen, now: datetime) -> PickupBoard:
    """One statement beside the screen's own. Orders for later appear when they are released to the kitchen."""
    before = stamp()
    kitchen = screen.kitchen
    orders = open_orders(screen.kitchen_id)
    waiting = [
        order for order in orders if not is_on_wall(kitchen, now, due_at=order.due_at, status=order.status)
    ]
    in_rail = {order.id for order in waiting}
    preparing = [order.display for order in orders if order.status < READY and order.id not in in_rail]
    ready = [
        order.display
        for order in sorted(orders, key=lambda order: order.changed_at, reverse=True)
        if order.status == READY
    ]
    page = page_version(screen)
    return PickupBoard(
        screen=screen,
        server_now=now,
        preparing=preparing,
        ready=ready,
        version=digest([preparing, ready, screen.pk, kitchen.name, page]),
        page_version=page,
        next_at=min((release_time(order.due_at, kitchen) for order in waiting), default=None),
        stamp=before,
    )
