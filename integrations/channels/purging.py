"""Forgetting what channels sent: payloads hold customers' data, and a log grows."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Min

from integrations.models import ChannelMessage, ChannelOrder
from orders import clock
from orders.models import Kitchen, Order

BATCH: Final = 1000


def kept_since() -> datetime:
    """What is older goes: after the log's days, or sooner where a kitchen keeps its customers' data for less."""
    shortest = Kitchen.objects.aggregate(days=Min("retention_days"))["days"]
    days = min(settings.HUUVA_CHANNEL_LOG_DAYS, shortest or settings.HUUVA_CHANNEL_LOG_DAYS)
    return clock.now() - timedelta(days=days)


def purge_channels() -> int:
    """Delete messages, and cancellations whose order never came, past their time; how many messages. May run twice at
    once and be killed: each batch is a statement of its own."""
    limit = kept_since()
    deleted = 0
    while True:
        old = ChannelMessage.objects.filter(at__lt=limit).order_by("at")
        batch = list(old.values_list("pk", flat=True)[:BATCH])
        if not batch:
            break
        deleted += ChannelMessage.objects.filter(pk__in=batch).delete()[0]
    ChannelOrder.objects.filter(taken_at=None, created_at__lt=limit).delete()
    return deleted


def forget_customers(sender: type[Order], order_ids: list[str], **_: Any) -> None:
    """Receiver of `orders.signals.customer_data_removed`: what those orders came as is emptied with them."""
    ChannelMessage.objects.filter(order_id__in=order_ids).exclude(payload="").update(payload="")
