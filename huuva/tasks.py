"""Tasks of the platform itself. Each may run twice or late without harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from huuva.models import Heartbeat


@shared_task
def beat_heartbeat() -> None:
    """Shows /readyz and /metrics that beat sends and a worker works."""
    Heartbeat.note(timezone.now())
