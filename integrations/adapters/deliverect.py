"""Deliverect: its order webhook, its statuses, its busy mode (developers.deliverect.com).

Its times are UTC, with seconds or microseconds; its prices are whole numbers whose last `decimalDigits` digits are
decimals. A cancellation is the same `_id` with status 100.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field
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
from integrations.adapters.fields import (
    Amount,
    Digits,
    Id,
    Loose,
    Moment,
    Place,
    Quantity,
    Text,
    cut,
    one_line,
    read_moment,
    whole_units,
    with_own_plus,
)
from orders.new import PastStatus
from orders.statuses import CANCELLED, FIRST, PICKED_UP, PREPARING, READY

# Its statuses as ours. Those that aren't here (couriers' 80–89 and 115, and whatever comes next) say nothing about
# cooking.
STATUSES: Final = {
    **dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 10, 20, 25, 40), FIRST),
    50: PREPARING,
    **dict.fromkeys((60, 70), READY),
    **dict.fromkeys((90, 95), PICKED_UP),
    **dict.fromkeys((100, 110, 120), CANCELLED),
}
CANCEL_REQUESTED: Final = 100
ENDED_BY_CHANNEL: Final = frozenset({CANCEL_REQUESTED, 110, 120})
TELLS: Final = {FIRST: 20, PREPARING: 50, READY: 70, PICKED_UP: 90, CANCELLED: 110}
FAILED: Final = 120
DEEPEST: Final = 8
# Of an order's past the latest entries are kept; of those that can't be read the first are named.
MOST_PAST: Final = 1000
MOST_NAMED: Final = 10


class Customer(Loose):
    name: Text = ""
    company_name: Text = ""
    phone_number: Text = ""


class DeliveryAddress(Loose):
    street: Text = ""
    street_number: Text = ""
    postal_code: Text = ""
    city: Text = ""
    extra_address_info: Text = ""

    def plain(self) -> dict[str, str] | None:
        """As our orders hold it; None where the channel sent {}."""
        street = " ".join(part for part in (self.street, self.street_number, self.extra_address_info) if part)
        found = {"city": self.city, "street": street, "postalCode": self.postal_code}
        return {name: one_line(text, 500) for name, text in found.items() if text.strip()} or None


class Item(Loose):
    plu: Text = ""
    name: Text = ""
    quantity: Quantity = 1
    price: Amount = None
    remark: Text | None = None
    sub_items: Annotated[list["Item"], Field(max_length=100)] | None = None

    def modifiers(self, depth: int = 1) -> list[dict[str, Any]]:
        """What is below it, as our modifiers. Deeper than DEEPEST levels it is all put on that level."""
        found: list[dict[str, Any]] = []
        for part in self.sub_items or ():
            made: dict[str, Any] = {
                "name": one_line(part.name, 500) or one_line(part.plu, 500) or "?",
                "quantity": part.quantity,
            }
            if part.plu.strip():
                made["plu"] = one_line(part.plu, 128)
            below = part.modifiers(depth + 1)
            found.append(made)
            if depth >= DEEPEST:
                found += below
            elif below:
                made["modifiers"] = below
        return found

    def remarks(self) -> Iterator[str]:
        """Its own remark, then those of what is below, each with the name of what it is about."""
        if self.remark and self.remark.strip():
            yield self.remark.strip()
        for part in self.sub_items or ():
            for remark in part.remarks():
                yield f"{part.name}: {remark}"


class Packaging(Loose):
    include_cutlery: bool | None = None


class OrderBody(Loose):
    """The order webhook. Fields that are not listed are kept in the log and not read."""

    id: Annotated[Id, Field(validation_alias="_id")]
    account: Text = ""
    brand_id: Text = ""
    channel_order_id: Text = ""
    channel_order_display_id: Text = ""
    location: Place = ""
    status: Any = None
    pickup_time: Moment = None
    delivery_time: Moment = None
    customer: Customer | None = None
    delivery_address: DeliveryAddress | None = None
    items: Annotated[list[Item], Field(min_length=1, max_length=500)]
    decimal_digits: Digits = 2
    packaging: Packaging | None = None
    note: Text = ""
    # Read entry by entry: what can't be read of the past is no reason to let an order go.
    status_history: Any = None


class CancelBody(Loose):
    """A cancellation needs its order's id; the rest may be missing, or be whatever it is."""

    id: Annotated[Id, Field(validation_alias="_id")]
    location: Any = None
    status_history: Any = None


class Deliverect(Adapter):
    kind = "deliverect"
    signature_header = "x-server-authorization-hmac-sha256"

    def claim(self, body: Mapping[str, Any]) -> Claim:
        return Claim(_word(body.get("channelLink")), _word(body.get("location")))

    def read(self, body: Mapping[str, Any], link: LinkFacts) -> Incoming:
        number = _number(body.get("status"))
        word = "" if body.get("status") is None else one_line(str(body["status"]), 64)
        if number in ENDED_BY_CHANNEL:
            cancel = CancelBody.read(body)
            place = one_line(_word(cancel.location), 256)
            return Incoming(
                MessageType.CANCEL, cancel.id, place, word, _reason(cancel.status_history, number)
            )
        order = OrderBody.read(body)
        past, unread = _past(order.status_history)
        made = _order(order, number, link, past)
        return Incoming(MessageType.ORDER, order.id, order.location, word, order=made, notes=unread)

    def status_update(self, update: StatusUpdate, link: LinkFacts) -> dict[str, Any] | None:
        return {
            "orderId": update.external_id,
            "status": FAILED if update.status is None else TELLS[update.status],
            "reason": update.reason,
            "timeStamp": f"{update.at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }

    def pace_update(self, update: PaceUpdate, link: LinkFacts) -> dict[str, Any] | None:
        told: dict[str, Any] = {
            "accountId": link.account,
            "locationId": update.location,
            "channelLinkId": link.external_id,
            "status": update.mode.upper(),
        }
        if update.mode == "busy":
            told["delay"] = update.busy_minutes
        if update.preparation_minutes is not None:
            told["prepTime"] = update.preparation_minutes
        return told


def _order(body: OrderBody, number: int | None, link: LinkFacts, past: list[PastStatus]) -> ChannelOrderIn:
    status = STATUSES.get(number or 0, FIRST)
    customer = body.customer or Customer()
    address = body.delivery_address or DeliveryAddress()
    display = one_line(body.channel_order_display_id, 64)
    notes = [body.note.strip()]
    if body.packaging and body.packaging.include_cutlery:
        notes.append("+ cutlery")
    return ChannelOrderIn(
        items=with_own_plus((item.plu, _details(item, body.decimal_digits)) for item in body.items),
        details={
            "account": one_line(body.account, 128) or link.slug,
            "brand_id": one_line(body.brand_id, 128) or link.brand_id or link.external_id or link.slug,
            "channel": cut(link.name, 64),
            "channel_order_id": one_line(body.channel_order_id, 128) or one_line(body.id, 128),
            "channel_display_id": display,
            "customer_name": one_line(customer.name or customer.company_name, 500)
            or display
            or one_line(body.channel_order_id, 128)
            or one_line(body.id, 128),
            "customer_phone": one_line(customer.phone_number, 64),
            "delivery_address": address.plain(),
            "note": cut("\n".join(note for note in notes if note), 2000),
        },
        pickup_time=body.pickup_time or body.delivery_time,
        status=status,
        history=_history(past, status),
    )


def _details(item: Item, digits: int) -> dict[str, Any]:
    return {
        "name": one_line(item.name, 500) or one_line(item.plu, 500) or "?",
        "quantity": item.quantity,
        "note": cut("\n".join(item.remarks()), 2000),
        "modifiers": item.modifiers(),
        "allergens": [],
        "price": whole_units(item.price, digits),
    }


def _past(entries: Any) -> tuple[list[PastStatus], tuple[str, ...]]:
    """What it tells of the past in our words, and a note on what of it can't be read."""
    found: list[PastStatus] = []
    told = entries if isinstance(entries, list) else []
    unread = [] if entries is None or told is entries else [""]
    first = max(0, len(told) - MOST_PAST)
    for number, entry in enumerate(told[first:], first):
        try:
            at = read_moment(entry.get("timeStamp"))
            status = _number(entry.get("status"))
        except (PydanticCustomError, AttributeError):
            unread.append(f"/{number}")
            continue
        if status in STATUSES and at is not None:
            found.append(PastStatus(STATUSES[status], at))
    if not unread:
        return found, ()
    named = ", ".join(f"/statusHistory{place}" for place in unread[:MOST_NAMED])
    more = " …" if len(unread) > MOST_NAMED else ""
    return found, (f"Left out of the order's history, because it can't be read: {named}{more}.",)


def _history(past: list[PastStatus], status: int) -> tuple[PastStatus, ...]:
    """Without the last stretch in the order's present status: that row is ours to write, with the time at which the
    order came."""
    while past and past[-1].status == status:
        past.pop()
    return tuple(past)


def _reason(history: Any, number: int) -> str:
    """What the entry of the cancellation says, where it says something."""
    for entry in reversed(history if isinstance(history, list) else []):
        if isinstance(entry, dict) and _number(entry.get("status")) == number:
            said = entry.get("response")
            if isinstance(said, str) and said.strip():
                return one_line(said, 500)
    return ""


def _word(value: Any) -> str:
    return value.strip()[:256] if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """A status as a number, or as the text of one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else None
