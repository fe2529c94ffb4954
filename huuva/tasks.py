"""Tasks of the platform itself. Each may run twice or late without harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from huuva.backups import alerts
from huuva.models import Heartbeat


@shared_task
def beat_heartbeat() -> None:
    """Shows /readyz and /metrics that beat sends and a worker works."""
    Heartbeat.note(timezone.now())


@shared_task
def watch_backups() -> bool:
    """Tells of a backup that failed or that should have been made; at most once a day."""
    return alerts.tell_once(timezone.now())
