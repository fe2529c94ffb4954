"""The Celery app; `celery -A huuva` finds it here. Its settings are the CELERY_* ones of Django's."""

from __future__ import annotations

import mmap
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery, signals

from huuva.broker import survive_its_loss

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")

app = Celery("huuva")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
survive_its_loss()


# One byte that the worker and its children share: they are forked off after this module was imported.
_stop = mmap.mmap(-1, 1)
# In a child of a worker: whose.
_worker_pid: int | None = None


def stopping() -> bool:
    """For tasks that run long: whether the worker is being stopped, or was killed and left this process behind."""
    return _stop[0] != 0 or (_worker_pid is not None and os.getppid() != _worker_pid)


@signals.worker_process_init.connect
def remember_worker(**_: Any) -> None:
    global _worker_pid
    _worker_pid = os.getppid()


@contextmanager
def finishing_first() -> Iterator[None]:
    """For a task that asks `stopping()` often: SIGTERM, which reaches all processes of a group that is stopped, only
    tells it to end. The worker's own process waits for it."""
    if _worker_pid is None:
        yield  # Not in a child of a worker.
        return

    def told(number: int, frame: Any) -> None:
        _stop[0] = 1

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@signals.worker_shutting_down.connect
def tell_children(**_: Any) -> None:
    _stop[0] = 1


@signals.setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """A receiver here is what stops Celery from replacing the logging that Django has set up."""


@signals.beat_init.connect
def first_heartbeat(**_: Any) -> None:
    """Beat sends a task only after its first interval; /readyz shall not wait for that."""
    from huuva.tasks import beat_heartbeat

    beat_heartbeat.apply_async(expires=30)
