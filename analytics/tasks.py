"""Periodic work of analytics. Each task can run twice."""

from celery import shared_task

from analytics import refresh as refreshing

# Beat sends the next one a minute after: a backlog shall not take a second worker away from other work.
SECONDS = 50


@shared_task(ignore_result=True)
def refresh() -> int:
    """Add what is new to the rollups; returns how many rows of the history were read."""
    return refreshing.refresh(seconds=SECONDS).changes
