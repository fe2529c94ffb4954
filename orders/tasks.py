"""Periodic work of the domain. Each task can run twice."""

import structlog
from celery import shared_task

from orders import stalls
from orders.consistency import differences
from orders.privacy import anonymise_due

log = structlog.get_logger(__name__)


@shared_task
def check_history() -> int:
    """Compare every open order and item with its last history row; returns how many differ, and logs each."""
    different = differences()
    for difference in different:
        log.error("status_differs_from_history", **difference)
    return len(different)


@shared_task
def anonymise_orders() -> int:
    """Remove customers' data whose time has come (`Kitchen.retention_days`); returns from how many orders."""
    number = anonymise_due()
    if number:
        log.info("orders_anonymised", orders=number)
    return number


@shared_task
def watch_feed() -> float:
    """Report who stalls the change feed; returns for how many seconds it has been stalled."""
    return stalls.watch()
