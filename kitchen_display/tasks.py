"""Periodic work of the display. Each task can run twice."""

import structlog
from celery import shared_task

from kitchen_display.alarms import purge_alarms
from kitchen_display.sightings import purge_sightings, unseen_orders

log = structlog.get_logger(__name__)


@shared_task
def watch_unseen() -> int:
    """Warn of orders that no screen shows; returns how many there are."""
    found = unseen_orders()
    for unseen in found:
        log.warning(
            "order_unseen", order=unseen.order_id, kitchen=unseen.kitchen, seconds=round(unseen.seconds)
        )
    return len(found)


@shared_task
def purge_wall() -> int:
    """Remove what the wall no longer needs to remember."""
    return purge_alarms() + purge_sightings()
