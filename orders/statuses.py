"""The statuses of orders and items and their rules, written once, as data."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderStatus(models.IntegerChoices):
    RECEIVED = 1, _("Received")
    PREPARING = 2, _("Preparing")
    READY = 3, _("Ready")
    PICKED_UP = 4, _("Picked up")
    CANCELLED = 5, _("Cancelled")


class ItemStatus(models.IntegerChoices):
    ORDERED = 1, _("Ordered")
    PREPARING = 2, _("Preparing")
    READY = 3, _("Ready")
    PICKED_UP = 4, _("Picked up")
    CANCELLED = 5, _("Cancelled")


# RECEIVED is also an item's ORDERED.
RECEIVED, PREPARING, READY, PICKED_UP, CANCELLED = (int(status) for status in OrderStatus)
OPEN = (RECEIVED, PREPARING, READY)
# Still to be made: see `is_late`.
UNREADY = (RECEIVED, PREPARING)
TERMINAL = frozenset({PICKED_UP, CANCELLED})

# Where each status may go: forward only, skipping is fine, the terminal two are the end.
MOVES: dict[int, tuple[int, ...]] = {
    RECEIVED: (PREPARING, READY, PICKED_UP, CANCELLED),
    PREPARING: (READY, PICKED_UP, CANCELLED),
    READY: (PICKED_UP, CANCELLED),
    PICKED_UP: (),
    CANCELLED: (),
}

ORDER_NAMES = {status.value: status.name for status in OrderStatus}
ITEM_NAMES = {status.value: status.name for status in ItemStatus}


class Kind(IntEnum):
    """What a history entry is: a change, one that a channel reported, or a recall."""

    TRANSITION = 1
    IMPORT = 2
    RECALL = 3


KIND_NAMES = {kind.value: kind.name.lower() for kind in Kind}


def in_sql(statuses: Iterable[int]) -> str:
    """Statuses as a list for SQL, such as `(1, 2, 3)`. Part of the statement, not a parameter, so that the planner sees
    that the index of open orders holds them."""
    return f"({', '.join(str(int(status)) for status in sorted(statuses))})"


class _Due(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def due_at(self) -> datetime: ...


def is_late(order: _Due, now: datetime) -> bool:
    """Due has passed and the order isn't ready. `Order.objects.late` finds these."""
    return order.status in UNREADY and order.due_at < now


def follows(item: int, order: int) -> bool:
    """Whether an item in status `item` follows an order that moves to `order`."""
    return item not in TERMINAL and item < order


def lifted(items: Iterable[int]) -> int:
    """The order status that its items' statuses stand for, where the kitchen lets items lift their order."""
    statuses = list(items)
    live = [status for status in statuses if status != CANCELLED]
    if not live:
        return CANCELLED if statuses else RECEIVED
    slowest = min(live)
    if slowest >= READY:
        return slowest
    return PREPARING if max(live) > RECEIVED else RECEIVED
