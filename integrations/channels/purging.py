"""Forgetting what channels sent: payloads hold customers' data, and a log grows."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Min

from integrations.channels.intake import trouble
from integrations.models import ChannelMessage, ChannelOrder
from orders import clock
from orders.models import Kitchen, Order
from orders.traces import Traces

Outcome = ChannelMessage.Outcome
BATCH: Final = 1000
# These go with their order.
BECAME_AN_ORDER: Final = (Outcome.TAKEN, Outcome.CANCELLED, Outcome.REPEATED, Outcome.NOTED)
# Stands where a message's detail stood, which may repeat words of its body.
ERASED: Final = "Its customer was erased."


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
    """Receiver of `orders.signals.customer_data_removed`: what those orders came as is emptied with them, and why the
    channel cancelled them."""
    found = ChannelMessage.objects.filter(order_id__in=order_ids).exclude(payload="")
    _empty(list(found.values_list("pk", flat=True)))
    ChannelOrder.objects.filter(pk__in=order_ids).exclude(cancel_reason="").update(cancel_reason="")


def forget_refused(sender: type[Order], traces: Traces, **_: Any) -> None:
    """Receiver of `orders.signals.customer_erased`: the same of messages that became no order, where the customer
    stands in them."""
    unordered = ChannelMessage.objects.exclude(outcome__in=BECAME_AN_ORDER).exclude(payload="")
    last = 0
    while batch := list(
        unordered.filter(pk__gt=last).order_by("pk").values_list("pk", "order_id", "payload")[:BATCH]
    ):
        last = batch[-1][0]
        hits = {pk: order_id for pk, order_id, payload in batch if traces.in_payload(payload)}
        if hits:
            _empty(list(hits), detail=ERASED, channel_status="")
            ChannelOrder.objects.filter(pk__in=set(hits.values())).update(cancel_reason="")


def _empty(ids: list[int], **more: str) -> None:
    """Without their payload they can't be taken in any more, so nobody is asked to."""
    if ids:
        trouble().filter(pk__in=ids).update(settled_at=clock.now(), settled_by="system")
        ChannelMessage.objects.filter(pk__in=ids).update(payload="", **more)
