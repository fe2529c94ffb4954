"""Periodic work of the domain. Each task can run twice."""

import structlog
from celery import shared_task

from orders.bookkeeping import differences

log = structlog.get_logger(__name__)


@shared_task
def check_history() -> int:
    """Compare every open order and item with its last history row; returns how many differ, and logs each."""
    found = differences()
    for difference in found:
        log.error("status_differs_from_history", **difference)
    return len(found)
