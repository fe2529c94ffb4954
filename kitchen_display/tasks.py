"""Periodic work of the display. Each task can run twice."""

from collections import defaultdict
from typing import Final

import structlog
from celery import shared_task

from kitchen_display.alarms import purge_alarms
from kitchen_display.sightings import Unseen, purge_sightings, unseen_orders

# A warning names at most so many orders; the rest are only counted.
NAMED: Final = 10

# The watch runs each 15 s and an order counts as unseen after 15.
NEW_SECONDS: Final = 31.0

log = structlog.get_logger(__name__)


@shared_task
def watch_unseen() -> int:
    """Warn of each kitchen with orders that no screen shows; returns how many orders there are.

    A kitchen is warned of when another order joins them, not every time: the gauge tells how long it lasts.
    """
    all_unseen = unseen_orders()
    by_kitchen: defaultdict[str, list[Unseen]] = defaultdict(list)
    for unseen in all_unseen:
        by_kitchen[unseen.kitchen].append(unseen)
    for kitchen, orders in by_kitchen.items():
        if min(unseen.seconds for unseen in orders) > NEW_SECONDS:
            continue
        log.warning(
            "orders_unseen",
            kitchen=kitchen,
            count=len(orders),
            oldest_seconds=round(max(unseen.seconds for unseen in orders)),
            orders=[unseen.order_id for unseen in orders[:NAMED]],
        )
    return len(all_unseen)


@shared_task
def purge_wall() -> int:
    """Remove what the wall no longer needs to remember."""
    return purge_alarms() + purge_sightings()
