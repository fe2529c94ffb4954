"""The Celery app; `celery -A huuva` finds it here. Its settings are the CELERY_* ones of Django's."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huuva.settings")

app = Celery("huuva")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """A receiver here is what stops Celery from replacing the logging that Django has set up."""


@signals.beat_init.connect
def first_heartbeat(**_: Any) -> None:
    """Beat sends a task only after its first interval; /readyz shall not wait for that."""
    from huuva.tasks import beat_heartbeat

    beat_heartbeat.apply_async(expires=30)
