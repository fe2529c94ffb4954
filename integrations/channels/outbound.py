"""What we send to channels: status updates of their orders and the pace of kitchens, by `integrations.deliveries`."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from core.jsonio import dumps
from integrations.adapters.base import Adapter, PaceUpdate, StatusUpdate
from integrations.adapters.fields import id_part
from integrations.adapters.registry import ADAPTERS
from integrations.channels.secrets import decrypt_secret, sign
from integrations.deliveries import Message, PendingDelivery
from integrations.models import ChannelLink, ChannelLocation, ChannelMessage, ChannelOrder, Delivery
from orders.models import KitchenPace, StatusChange

# Events without a row of the history: their deliveries are created here, with sequences of their own.
PACE: Final = "kitchen.pace"
FAILED: Final = "channel.failed"


class ChannelUpdates:
    """The renderer of channel links."""

    gone = frozenset[int]()

    def render(self, deliveries: Sequence[PendingDelivery]) -> dict[int, Message | None]:
        """Five statements, however many deliveries."""
        links = ChannelLink.objects.in_bulk({delivery.sink_id for delivery in deliveries})
        orders = ChannelOrder.objects.in_bulk({delivery.order_id for delivery in deliveries})
        history = _history(set(orders))
        has_pace = any(delivery.event_type == PACE for delivery in deliveries)
        paces = _paces(links) if has_pace else {}
        messages: dict[int, Message | None] = {}
        for delivery in deliveries:
            link, order_id = links.get(delivery.sink_id), delivery.order_id
            if link is None or not link.is_active:
                messages[delivery.id] = None
            elif delivery.event_type == PACE:
                messages[delivery.id] = _pace_message(link, delivery, paces.get((link.pk, order_id)))
            else:
                messages[delivery.id] = _status_message(
                    link, delivery, orders.get(order_id), history[order_id]
                )
        return messages


def _history(order_ids: set[str]) -> defaultdict[str, list[StatusChange]]:
    """The orders' own rows without those of items, by sequence; a handful each."""
    rows: defaultdict[str, list[StatusChange]] = defaultdict(list)
    for row in StatusChange.objects.filter(order_id__in=order_ids, plu=None).order_by("order_id", "sequence"):
        rows[row.order_id].append(row)
    return rows


def _status_message(
    link: ChannelLink, delivery: PendingDelivery, order: ChannelOrder | None, history: list[StatusChange]
) -> Message | None:
    if not link.status_url or order is None or order.link_id != link.pk:
        return None
    if delivery.event_type == FAILED:
        update = StatusUpdate(order.external_id, None, delivery.at, order.cancel_reason)
    else:
        row = next((row for row in history if row.sequence == delivery.sequence), None)
        if row is None:
            return None
        # An order that brought a history along has several rows in its first change: the last one is sent.
        last = [other for other in history if other.change == row.change][-1]
        update = StatusUpdate(order.external_id, last.to_status, last.at, last.reason)
    adapter = ADAPTERS[link.channel_kind]
    return _message(link, adapter, link.status_url, adapter.status_update(update, link.facts()))


type LocationPace = tuple[ChannelLocation, KitchenPace]


def _paces(links: dict[str, ChannelLink]) -> dict[tuple[str, str], LocationPace]:
    """Locations with the present pace of their kitchens, by link and pace id."""
    locations = list(ChannelLocation.objects.filter(link__in=links, kitchen__isnull=False))
    paces = KitchenPace.objects.in_bulk({location.kitchen_id for location in locations})
    return {
        (location.link_id, _pace_id(location)): (location, paces[location.kitchen_id])
        for location in locations
        if location.kitchen_id in paces
    }


def _pace_message(
    link: ChannelLink, delivery: PendingDelivery, location_pace: LocationPace | None
) -> Message | None:
    """The present pace; None where a later change of it waits behind this one."""
    if not link.busy_url or location_pace is None or location_pace[1].version != delivery.sequence:
        return None
    location, pace = location_pace
    update = PaceUpdate(
        location.external_id, pace.mode, pace.busy_minutes, pace.preparation_minutes, pace.changed_at
    )
    adapter = ADAPTERS[link.channel_kind]
    return _message(link, adapter, link.busy_url, adapter.pace_update(update, link.facts()))


def _message(link: ChannelLink, adapter: Adapter, url: str, body: dict[str, Any] | None) -> Message | None:
    secret = decrypt_secret(link.secret)
    if body is None or secret is None:
        return None
    raw = dumps(body)
    return Message(
        url, raw, {"Content-Type": "application/json", adapter.signature_header: sign(secret, raw)}
    )


def _pace_id(location: ChannelLocation) -> str:
    """Used instead of an order's id. No order's id contains a slash, so they never meet."""
    return f"/pace/{id_part(location.external_id)}"


def notify_pace(sender: type[KitchenPace], pace: KitchenPace, **_: Any) -> None:
    """Receiver of `orders.signals.pace_changed`: a delivery for each location of this kitchen, in the same transaction.
    Waiting deliveries of earlier changes are out of date and skipped."""
    locations = ChannelLocation.objects.select_related("link").filter(
        kitchen_id=pace.kitchen_id, link__is_active=True, link__disabled_at=None
    )
    notified = [location for location in locations if location.link.busy_url]
    for location in notified:
        _waiting(location).update(state=Delivery.State.SKIPPED)
    Delivery.objects.bulk_create(
        [
            Delivery(
                sink_id=location.link_id,
                order_id=_pace_id(location),
                sequence=pace.version,
                event_type=PACE,
                at=pace.changed_at,
            )
            for location in notified
        ],
        ignore_conflicts=True,
    )


def _waiting(location: ChannelLocation) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        sink_id=location.link_id,
        order_id=_pace_id(location),
        state=Delivery.State.WAITING,
        leased_until=None,
    )


def notify_failed(message: ChannelMessage, at: datetime) -> bool:
    """Notify the channel that the order of a message can't be taken (Deliverect: 120); False if it has no status URL.

    The order stays unknown here, so that the channel can send it again.
    """
    if not message.external_id or not message.link.status_url:
        return False
    order_id = message.link.order_id(message.external_id)
    ChannelOrder.objects.get_or_create(
        order_id=order_id, defaults={"link": message.link, "external_id": message.external_id}
    )
    Delivery.objects.get_or_create(
        sink=message.link, order_id=order_id, sequence=0, step=0, defaults={"event_type": FAILED, "at": at}
    )
    return True
