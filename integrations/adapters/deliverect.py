"""Deliverect: its order webhook, status updates and busy mode (developers.deliverect.com).

Times are UTC, with seconds or microseconds; prices are whole numbers whose last `decimalDigits` digits are decimals. A
cancellation is the same `_id` with status 100.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic_core import PydanticCustomError

from integrations.adapters.base import (
    Adapter,
    ChannelOrderIn,
    Claim,
    Incoming,
    LinkFacts,
    MessageType,
    PaceUpdate,
    StatusUpdate,
)
from integrations.adapters.deliverect_bodies import (
    CancelBody,
    Customer,
    DeliveryAddress,
    OrderBody,
)
from integrations.adapters.fields import (
    MAX_NAMED,
    MAX_PLU,
    Cutter,
    cut,
    join_notes,
    one_line,
    read_time,
    whole_units,
    with_unique_plus,
)
from orders.new import PastStatus
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED

# Deliverect's statuses as ours. Others (couriers' 80–89 and 115, and future ones) say nothing about cooking.
STATUSES: Final = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 10, 20, 25, 40), RECEIVED),
    50: PREPARING,
    **dict.fromkeys((60, 70), READY),
    **dict.fromkeys((90, 95), PICKED_UP),
    **dict.fromkeys((100, 110, 120), CANCELLED),
}
CANCEL_REQUESTED: Final = 100
ENDED_BY_CHANNEL: Final = frozenset({CANCEL_REQUESTED, 110, 120})
OUR_STATUSES: Final = {RECEIVED: 20, PREPARING: 50, READY: 70, PICKED_UP: 90, CANCELLED: 110}
FAILED: Final = 120
# Of an order's history the latest entries are read.
MAX_HISTORY: Final = 1000


class Deliverect(Adapter):
    kind = "deliverect"
    signature_header = "x-server-authorization-hmac-sha256"

    def claim(self, body: Mapping[str, Any]) -> Claim:
        return Claim(_text(body.get("channelLink")), _text(body.get("location")))

    def read(self, body: Mapping[str, Any], link: LinkFacts) -> Incoming:
        status = body.get("status")
        number = _number(status)
        word = "" if status is None else one_line(str(status if number is None else number), 64)
        if number in ENDED_BY_CHANNEL:
            cancel = CancelBody.read(body)
            location = one_line(_text(cancel.location), 256)
            return Incoming(
                MessageType.CANCEL, cancel.id, location, word, _reason(cancel.status_history, number)
            )
        order = OrderBody.read(body)
        past, notes = _past(order.status_history)
        cutter = Cutter()
        return Incoming(
            MessageType.ORDER,
            order.id,
            order.location,
            word,
            order=_order(order, number, link, past, cutter),
            notes=(*notes, *cutter.notes()),
        )

    def status_update(self, update: StatusUpdate, link: LinkFacts) -> dict[str, Any] | None:
        return {
            "orderId": update.external_id,
            "status": FAILED if update.status is None else OUR_STATUSES[update.status],
            "reason": update.reason,
            "timeStamp": f"{update.at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }

    def pace_update(self, update: PaceUpdate, link: LinkFacts) -> dict[str, Any] | None:
        pace: dict[str, Any] = {
            "accountId": link.account,
            "locationId": update.location,
            "channelLinkId": link.external_id,
            "status": update.mode.upper(),
        }
        if update.mode == "busy":
            pace["delay"] = update.busy_minutes
        if update.preparation_minutes is not None:
            pace["prepTime"] = update.preparation_minutes
        return pace


def _order(
    body: OrderBody, number: int | None, link: LinkFacts, past: list[PastStatus], cutter: Cutter
) -> ChannelOrderIn:
    status = STATUSES.get(number or 0, RECEIVED)
    customer = body.customer or Customer()
    address = body.delivery_address or DeliveryAddress()
    display = cutter.line(body.channel_order_display_id, 64, "channelOrderDisplayId")
    order_id = cutter.line(body.channel_order_id, 128, "channelOrderId") or one_line(body.id, 128)
    name_field, name = ("name", customer.name) if customer.name else ("companyName", customer.company_name)
    return ChannelOrderIn(
        items=with_unique_plus(_items(body, cutter)),
        details={
            "account": cutter.line(body.account, 128, "account") or link.slug,
            "brand_id": cutter.line(body.brand_id, 128, "brandId")
            or link.brand_id
            or link.external_id
            or link.slug,
            "channel": cut(link.name, 64),
            "channel_order_id": order_id,
            "channel_display_id": display,
            "customer_name": cutter.line(name, 500, "customer", name_field) or display or order_id,
            "customer_phone": cutter.line(customer.phone_number, 64, "customer", "phoneNumber"),
            "delivery_address": address.plain(cutter),
            "note": join_notes(_notes(body, customer), "note"),
        },
        pickup_time=body.pickup_time or body.delivery_time,
        status=status,
        history=_history(past, status),
    )


def _notes(body: OrderBody, customer: Customer) -> Iterator[str]:
    yield body.note
    if customer.note != body.note:
        yield f"Customer: {customer.note}" if body.note and customer.note else customer.note
    if body.packaging and body.packaging.include_cutlery:
        yield "+ cutlery"


def _items(body: OrderBody, cutter: Cutter) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, item in enumerate(body.items):
        place = ("items", number)
        plu = cutter.line(item.plu, MAX_PLU, *place, "plu")
        yield (
            plu,
            {
                "name": cutter.line(item.name, 500, *place, "name") or one_line(item.plu, 500) or "?",
                "quantity": item.quantity,
                "note": join_notes(item.remarks(), *place, "remark"),
                "modifiers": item.modifiers(cutter, place),
                "allergens": [],
                "price": whole_units(item.price, body.decimal_digits),
            },
        )


def _past(entries: Any) -> tuple[list[PastStatus], tuple[str, ...]]:
    """The history in our statuses, and a note on entries that can't be read."""
    past: list[PastStatus] = []
    history = entries if isinstance(entries, list) else []
    unread = [] if entries is None or history is entries else [""]
    first = max(0, len(history) - MAX_HISTORY)
    for number, entry in enumerate(history[first:], first):
        try:
            at = read_time(entry.get("timeStamp"))
            status = _number(entry.get("status"))
        except (PydanticCustomError, AttributeError):
            unread.append(f"/{number}")
            continue
        if status in STATUSES and at is not None:
            past.append(PastStatus(STATUSES[status], at))
    if not unread:
        return past, ()
    named = ", ".join(f"/statusHistory{place}" for place in unread[:MAX_NAMED])
    more = " …" if len(unread) > MAX_NAMED else ""
    return past, (f"Left out of the order's history, because it can't be read: {named}{more}.",)


def _history(past: list[PastStatus], status: int) -> tuple[PastStatus, ...]:
    """Without the last entries in the order's present status: we write that row, with the time at which the order
    came."""
    while past and past[-1].status == status:
        past.pop()
    return tuple(past)


def _reason(history: Any, number: int) -> str:
    """The text of the cancellation's entry in the history, if any."""
    for entry in reversed(history if isinstance(history, list) else []):
        if isinstance(entry, dict) and _number(entry.get("status")) == number:
            response = entry.get("response")
            if isinstance(response, str) and response.strip():
                return one_line(response, 500)
    return ""


def _text(value: Any) -> str:
    return value.strip()[:256] if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """A status as a whole number (100.0 is 100), or as the text of one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else None
