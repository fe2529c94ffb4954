"""Tasks of the project itself. Each may run twice or late without harm."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Final

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from huuva.models import Heartbeat, LoginAttempt
from huuva.ops.backups import alerts

# Addresses are personal data: they are stored no longer than needed to see who tried.
LOGIN_DAYS: Final = 30


@shared_task
def beat_heartbeat() -> None:
    """Shows /readyz and /metrics that beat sends and a worker works."""
    Heartbeat.note(timezone.now())


@shared_task
def watch_backups() -> bool:
    """Report a failed or missing backup, at most once a day."""
    return alerts.report_once(timezone.now())


@shared_task
def purge_logins() -> int:
    """Delete old login attempts and expired sessions; returns the number of attempts."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    old = timezone.now() - timedelta(days=LOGIN_DAYS)
    return LoginAttempt.objects.filter(at__lt=old).delete()[0]
