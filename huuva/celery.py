"""The Celery app; `celery -A huuva` finds it here. Its settings are the CELERY_* ones of Django's."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery, signals

from huuva.broker import use_tolerant_transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")

app = Celery("huuva")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
use_tolerant_transport()
app.steps["worker"].add("huuva.worker_watch:Watch")


@signals.worker_shutting_down.connect
def note_stop(**_: Any) -> None:
    from huuva.worker_watch import stop_watching

    stop_watching()


@signals.worker_process_init.connect
def finish_tasks_first(**_: Any) -> None:
    """Ignore SIGTERM in the pool's processes: a stop sends it to the whole group, and running tasks would be lost. The
    worker's main process ends them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@signals.setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """A receiver of this signal keeps Celery from replacing the logging that Django has set up."""


@signals.beat_init.connect
def first_heartbeat(**_: Any) -> None:
    """Beat sends a task only after its first interval; /readyz should not wait for that."""
    from huuva.tasks import beat_heartbeat

    beat_heartbeat.apply_async(expires=30)
