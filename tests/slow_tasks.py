"""Tasks for a worker under test, which gets them by `--include tests.slow_tasks`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from celery import shared_task, signals

from core.env import Env


@shared_task
def touch(path: str) -> None:
    Path(path).touch()


@shared_task
def hold(began: str, until: str) -> None:
    """Touches one file, and ends when there is the other."""
    Path(began).touch()
    while not Path(until).exists():
        time.sleep(0.05)


@signals.worker_ready.connect
def freeze_when_asked(sender: Any, **_: Any) -> None:
    """The main process of the worker stands still while there is the file `freeze` in its home."""
    freeze = Path(Env().str("HUUVA_HOME")) / "freeze"

    def look() -> None:
        while freeze.exists():
            time.sleep(0.05)

    sender.timer.call_repeatedly(0.1, look)
