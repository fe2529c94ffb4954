"""The Celery app; `celery -A huuva` finds it here. Its settings are the CELERY_* ones of Django's."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery, signals

from huuva.broker import survive_trouble

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")

app = Celery("huuva")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
survive_trouble()
app.steps["worker"].add("huuva.worker_watch:Watch")


@signals.worker_shutting_down.connect
def note_stop(**_: Any) -> None:
    from huuva.worker_watch import stop_watching

    stop_watching()


@signals.worker_process_init.connect
def finish_tasks_first(**_: Any) -> None:
    """SIGTERM reaches all processes of a group that is stopped, those of the pool too: a task under way would be lost,
    and the worker would say so. The worker's own process tells them when to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@signals.setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """A receiver here is what stops Celery from replacing the logging that Django has set up."""


@signals.beat_init.connect
def first_heartbeat(**_: Any) -> None:
    """Beat sends a task only after its first interval; /readyz shall not wait for that."""
    from huuva.tasks import beat_heartbeat

    beat_heartbeat.apply_async(expires=30)
