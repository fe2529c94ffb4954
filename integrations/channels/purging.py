"""Removes what channels sent: payloads hold customers' data, and the log grows."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Min

from integrations.models import ChannelMessage, ChannelOrder
from orders import clock
from orders.models import Kitchen, Order
from orders.traces import Traces

Outcome = ChannelMessage.Outcome
BATCH: Final = 1000
# Outcomes with an order: the data of these goes with it.
HAS_ORDER: Final = (Outcome.TAKEN, Outcome.CANCELLED, Outcome.REPEATED, Outcome.NOTED)
# Replaces a message's detail, which may repeat words of its body.
ERASED: Final = "Its customer was erased."


def oldest_kept() -> datetime:
    """What is older is removed: after the log's days, or sooner where a kitchen keeps customers' data for less."""
    shortest = Kitchen.objects.aggregate(days=Min("retention_days"))["days"]
    days = min(settings.HUUVA_CHANNEL_LOG_DAYS, shortest or settings.HUUVA_CHANNEL_LOG_DAYS)
    return clock.now() - timedelta(days=days)


def purge_channels() -> int:
    """Delete old messages, and cancellations whose order never came; returns how many messages. May run twice at once
    and be killed: each batch is a statement of its own."""
    limit = oldest_kept()
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
    """Receiver of `orders.signals.customer_data_removed`: empties the messages of those orders and the reasons of their
    cancellations."""
    messages = ChannelMessage.objects.filter(order_id__in=order_ids).exclude(payload="")
    _empty(list(messages.values_list("pk", flat=True)))
    ChannelOrder.objects.filter(pk__in=order_ids).exclude(cancel_reason="").update(cancel_reason="")


def forget_refused(sender: type[Order], traces: Traces, **_: Any) -> None:
    """Receiver of `orders.signals.customer_erased`: the same for messages without an order that name the customer."""
    without_order = ChannelMessage.objects.exclude(outcome__in=HAS_ORDER).exclude(payload="")
    last = 0
    while batch := list(
        without_order.filter(pk__gt=last).order_by("pk").values_list("pk", "order_id", "payload")[:BATCH]
    ):
        last = batch[-1][0]
        hits = {pk: order_id for pk, order_id, payload in batch if traces.in_payload(payload)}
        if hits:
            _empty(list(hits), detail=ERASED, channel_status="")
            ChannelOrder.objects.filter(pk__in=set(hits.values())).update(cancel_reason="")


def _empty(ids: list[int], **more: str) -> None:
    """Without a payload a message can't be replayed any more, so it is settled."""
    if ids:
        ChannelMessage.objects.unsettled().filter(pk__in=ids).update(
            settled_at=clock.now(), settled_by="system"
        )
        ChannelMessage.objects.filter(pk__in=ids).update(payload="", **more)
