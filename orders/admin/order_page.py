"""What the page of one order shows: facts, items, timeline. Four statements beside the order's own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orders import clock
from orders.admin.brands import brand_mark
from orders.admin.formatting import format_time, late_badge, money, span, status_badge, zone_name
from orders.admin.timeline import timeline
from orders.models import Amendment, Brand, Order, OrderItem, StatusChange
from orders.moves import can_recall
from orders.statuses import PICKED_UP, READY, ItemStatus, Kind, is_late

type Fact = tuple[str, str | SafeString]


@dataclass(frozen=True)
class Modifier:
    """`without`: it is left out."""

    depth: int
    text: str
    without: bool = False


@dataclass(frozen=True)
class Line:
    item: OrderItem
    status: SafeString
    price: str
    modifiers: list[Modifier]


def order_page(order: Order, *, customer: bool = True) -> dict[str, Any]:
    """The template's context. Without `customer` it has no customer's data and no notes."""
    now = clock.now()
    items = list(order.items.order_by("position"))
    history = list(StatusChange.objects.filter(order_id=order.id).order_by("sequence"))
    amendments = list(Amendment.objects.filter(order_id=order.id).order_by("version"))
    brand = brand_mark(Brand.objects.filter(pk=order.brand_id).first(), order.brand_id)
    return {
        "order": order,
        "shows_notes": customer,
        "status": status_badge(order.status, order.get_status_display()),
        "late": late_badge(order, now) if is_late(order, now) else "",
        "brand": brand,
        "due": format_time(order.due_at, order.kitchen),
        "fact_groups": [
            (_("Times"), _times(order, history)),
            (_("Customer"), _customer(order) if customer else [(_("Account"), order.account)]),
            (_("Where it came from"), _origin(order, brand)),
        ],
        "lines": [_line(order, item) for item in items],
        "steps": timeline(order, items, history, amendments, notes=customer),
        "zone": zone_name(order.kitchen, now),
        "history": history,
        "can_recall": can_recall(order, history, at=now),
    }


def _times(order: Order, history: list[StatusChange]) -> list[Fact]:
    kitchen = order.kitchen
    facts: list[Fact] = [
        (_("Created"), format_time(order.created_at, kitchen)),
        (_("Pickup time"), format_time(order.pickup_time, kitchen)),
        (_("Due"), format_time(order.due_at, kitchen)),
    ]
    ready = _ready_at(order, history)
    if ready:
        early = order.due_at - ready
        words = _("%s before due") if early.total_seconds() >= 0 else _("%s late")
        facts.append((_("Ready"), f"{format_time(ready, kitchen)}, {words % span(abs(early))}"))
    facts.append((_("Last change"), format_time(order.changed_at, kitchen)))
    return facts


def _ready_at(order: Order, history: list[StatusChange]) -> datetime | None:
    """When the order became ready, if it is ready or picked up. Recalls undo that, imports don't count."""
    ready = None
    for row in history:
        if row.plu is None and row.kind != Kind.IMPORT:
            ready = (ready or row.at) if row.to_status in (READY, PICKED_UP) else None
    return ready


def _customer(order: Order) -> list[Fact]:
    return _without_empty(
        (_("Name"), order.customer_name),
        (_("Phone"), order.customer_phone),
        (_("Account"), order.account),
        (_("Address"), _address(order.delivery_address or {})),
    )


def _address(address: dict[str, Any]) -> str:
    town = " ".join(str(address[name]) for name in ("postalCode", "city") if address.get(name))
    return ", ".join(part for part in (str(address.get("street") or ""), town) if part)


def _origin(order: Order, brand: SafeString) -> list[Fact]:
    return _without_empty(
        (_("Brand"), brand),
        (_("Kitchen"), order.kitchen.name),
        (_("Channel"), order.channel),
        (_("Display number"), order.channel_display_id),
        (_("Channel order id"), order.channel_order_id),
        (_("Order id"), order.id),
        (_("Version"), str(order.version)),
    )


def _without_empty(*facts: Fact) -> list[Fact]:
    return [fact for fact in facts if fact[1]]


def _line(order: Order, item: OrderItem) -> Line:
    return Line(
        item,
        status_badge(item.status, ItemStatus(item.status).label),
        "" if item.price is None else money(item.price, order.currency),
        list(_modifiers(item.modifiers, 0)),
    )


def _modifiers(tree: Any, depth: int) -> list[Modifier]:
    modifiers: list[Modifier] = []
    for node in tree or ():
        quantity = node.get("quantity", 1)
        name = str(node.get("name", ""))
        if not quantity:
            text = f"{pgettext('modifier', 'NO')} {name}"
        else:
            text = name if quantity == 1 else f"{quantity} × {name}"
        modifiers.append(Modifier(depth, text, without=not quantity))
        modifiers += _modifiers(node.get("modifiers"), depth + 1)
    return modifiers
