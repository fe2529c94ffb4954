"""Periodic work of integrations. Each task can run twice and be killed."""

from typing import Final

from celery import shared_task
from django.utils import timezone

from core import companions
from integrations import keys
from integrations.channels import purging as channels
from integrations.deliveries import loop, purging
from integrations.idempotency import LIFETIME
from integrations.models import IdempotencyRecord

BATCH: Final = 1000

companions.register("deliveries", loop.run_until)


@shared_task(ignore_result=True)
def end_expired_keys() -> int:
    """End the webhooks of keys that have expired."""
    return keys.end_expired_keys()


@shared_task(ignore_result=True)
def purge_idempotency_records() -> int:
    """Delete answers past their lifetime; return how many. May run twice at once and be killed."""
    limit = timezone.now() - LIFETIME
    deleted = 0
    while True:
        # Small statements: no long locks, and what is done stays done.
        old = IdempotencyRecord.objects.filter(created_at__lt=limit)
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return deleted
        # The age is asked again: meanwhile a request may have put a new answer in an old one's place.
        deleted += old.filter(pk__in=batch).delete()[0]


@shared_task(ignore_result=True)
def purge_deliveries() -> int:
    """Forget deliveries that are long over."""
    return purging.purge_deliveries()


@shared_task(ignore_result=True)
def purge_channels() -> int:
    """Forget what channels sent, past its time."""
    return channels.purge_channels()
