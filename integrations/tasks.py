from typing import Final

from celery import shared_task
from django.utils import timezone

from integrations.idempotency import LIFETIME
from integrations.models import IdempotencyRecord

BATCH: Final = 1000


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
