"""Tasks for a worker under test, which gets them by `--include tests.slow_tasks`."""

from __future__ import annotations

import time
from pathlib import Path

from celery import shared_task


@shared_task
def touch(path: str) -> None:
    Path(path).touch()


@shared_task
def hold(began: str, until: str) -> None:
    """Touches one file, and ends when there is the other."""
    Path(began).touch()
    while not Path(until).exists():
        time.sleep(0.05)
