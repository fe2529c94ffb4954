"""The Celery app with short pauses, so that a test need not wait for days: what is waited for is the same."""

from datetime import timedelta

import django

from huuva.celery import app

django.setup()

from integrations.deliveries import progress, schedule  # noqa: E402

schedule.RETRIES = tuple(timedelta(seconds=0.2) for _ in range(40))  # type: ignore[misc]
schedule.RESTS = (timedelta(seconds=0.3),)  # type: ignore[misc]
progress.HOLD_SECONDS = 3  # type: ignore[misc]

__all__ = ["app"]
