"""Periodic tasks of integrations. Each can run twice and be killed."""

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
    """Disable the webhooks of keys that have expired."""
    return keys.end_expired_keys()


@shared_task(ignore_result=True)
def purge_idempotency_records() -> int:
    """Delete answers past their lifetime; returns how many."""
    limit = timezone.now() - LIFETIME
    deleted = 0
    while True:
        # Small statements: no long locks, and what is done stays done.
        old = IdempotencyRecord.objects.filter(created_at__lt=limit)
        batch = list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return deleted
        # The age is checked again: a request may have replaced an old answer by a new one meanwhile.
        deleted += old.filter(pk__in=batch).delete()[0]


@shared_task(ignore_result=True)
def purge_deliveries() -> int:
    """Delete deliveries that are long finished."""
    return purging.purge_deliveries()


@shared_task(ignore_result=True)
def purge_channels() -> int:
    """Delete what channels sent, after its time."""
    return channels.purge_channels()
