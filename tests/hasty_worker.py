"""The Celery app with a watch whose limits are seconds; what it does then is the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path

import django
from kombu import Connection

from huuva.celery import app

django.setup()

from core import companions  # noqa: E402
from huuva import worker_watch as watch  # noqa: E402

PATIENCE_SECONDS = 6.0
watch.PATIENCE_SECONDS = companions.PATIENCE_SECONDS = PATIENCE_SECONDS  # type: ignore[misc]
watch.ASK_SECONDS = companions.RESTART_SECONDS = 0.2  # type: ignore[misc]
# Else a worker waits longer between two tries to connect than it has patience here.
Connection.ensure_connection = partialmethod(  # type: ignore[method-assign]
    Connection.ensure_connection, interval_start=0.5, interval_step=0
)

HOME = Path(os.environ["HUUVA_HOME"])


def note_lives(ended: Callable[[], bool]) -> None:
    """A companion that adds a line with its number to a file, and hangs while there is another file."""
    with (HOME / "lives").open("a") as lives:
        lives.write(f"{os.getpid()}\n")
    while not ended():
        while (HOME / "hang").exists():
            time.sleep(0.05)
        time.sleep(0.05)
    (HOME / "ended").touch()


companions.register("lives", note_lives)

__all__ = ["app"]
