"""What channels hear of us: changes of their orders, and how a kitchen stands. Sent by integrations.deliveries."""

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

# Events that no row of the history tells of: these deliveries are written here. Their sequences are of their own.
PACE: Final = "kitchen.pace"
FAILED: Final = "channel.failed"


class ChannelUpdates:
    """The renderer of channel links."""

    gone = frozenset[int]()

    def render(self, due: Sequence[PendingDelivery]) -> dict[int, Message | None]:
        """Five statements, however many deliveries."""
        links = ChannelLink.objects.in_bulk({one.sink_id for one in due})
        known = ChannelOrder.objects.in_bulk({one.order_id for one in due})
        history = _history({one.order_id for one in due if one.order_id in known})
        places = _places(links) if any(one.event_type == PACE for one in due) else {}
        found: dict[int, Message | None] = {}
        for one in due:
            link = links.get(one.sink_id)
            if link is None or not link.is_active:
                found[one.id] = None
            elif one.event_type == PACE:
                found[one.id] = _pace_message(link, one, places.get((link.pk, one.order_id)))
            else:
                found[one.id] = _status_message(link, one, known.get(one.order_id), history[one.order_id])
        return found


def _history(orders: set[str]) -> defaultdict[str, list[StatusChange]]:
    """The orders' own rows, in their order; a handful each."""
    rows: defaultdict[str, list[StatusChange]] = defaultdict(list)
    for row in StatusChange.objects.filter(order_id__in=orders, plu=None).order_by("order_id", "sequence"):
        rows[row.order_id].append(row)
    return rows


def _status_message(
    link: ChannelLink, one: PendingDelivery, known: ChannelOrder | None, history: list[StatusChange]
) -> Message | None:
    if not link.status_url or known is None or known.link_id != link.pk:
        return None
    if one.event_type == FAILED:
        update = StatusUpdate(known.external_id, None, one.at, known.cancel_reason)
    else:
        row = next((row for row in history if row.sequence == one.sequence), None)
        if row is None:
            return None
        # Where the channel told of a past, the first change has several rows; what it led to is told.
        last = [past for past in history if past.change == row.change][-1]
        update = StatusUpdate(known.external_id, last.to_status, last.at, last.reason)
    adapter = ADAPTERS[link.channel_kind]
    return _message(link, adapter, link.status_url, adapter.status_update(update, link.facts()))


type Place = tuple[ChannelLocation, KitchenPace]


def _places(links: dict[str, ChannelLink]) -> dict[tuple[str, str], Place]:
    """By link and what stands for an order's id: the place, and how its kitchen stands now."""
    locations = list(ChannelLocation.objects.filter(link__in=links, kitchen__isnull=False))
    paces = KitchenPace.objects.in_bulk({place.kitchen_id for place in locations})
    return {
        (place.link_id, _pace_id(place)): (place, paces[place.kitchen_id])
        for place in locations
        if place.kitchen_id in paces
    }


def _pace_message(link: ChannelLink, one: PendingDelivery, place: Place | None) -> Message | None:
    """How the kitchen stands now; nothing where a later change of it waits behind this one."""
    if not link.busy_url or place is None or place[1].version != one.sequence:
        return None
    location, pace = place
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


def _pace_id(place: ChannelLocation) -> str:
    """In the place of an order's id. No order's id holds a slash, so none is ever this."""
    return f"/pace/{id_part(place.external_id)}"


def tell_pace(sender: type[KitchenPace], pace: KitchenPace, **_: Any) -> None:
    """Receiver of `orders.signals.pace_changed`: a delivery for each place that this kitchen cooks for, in the same
    transaction. What waits there of earlier changes is no longer true, and not sent."""
    places = ChannelLocation.objects.select_related("link").filter(
        kitchen_id=pace.kitchen_id, link__is_active=True, link__disabled_at=None
    )
    told = [place for place in places if place.link.busy_url]
    for place in told:
        _waiting(place).update(state=Delivery.State.SKIPPED)
    Delivery.objects.bulk_create(
        [
            Delivery(
                sink_id=place.link_id,
                order_id=_pace_id(place),
                sequence=pace.version,
                event_type=PACE,
                at=pace.changed_at,
            )
            for place in told
        ],
        ignore_conflicts=True,
    )


def _waiting(place: ChannelLocation) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        sink_id=place.link_id, order_id=_pace_id(place), state=Delivery.State.WAITING, leased_until=None
    )


def tell_failed(message: ChannelMessage, at: datetime) -> bool:
    """Tell the channel that the order of a message can't be taken (Deliverect: 120); false where it has no way to hear.

    The order stays unknown here, so that it can still be taken in when the channel sends it again.
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
