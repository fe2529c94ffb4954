"""Tasks of the platform itself. Each may run twice or late without harm."""

from __future__ import annotations

import time

from celery import shared_task
from django.core.cache import cache

from huuva.health import BEAT_KEY


@shared_task
def beat_heartbeat() -> None:
    """Shows /readyz that beat sends and the worker works: the time, in seconds since 1970."""
    cache.set(BEAT_KEY, time.time(), timeout=None)
