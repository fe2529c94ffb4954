"""Amendments: change an order's note, times or quantities without changing its status (ADR 16)."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from orders import clock, statements
from orders.errors import ImpossibleAmendment
from orders.models import Amendment, Order, OrderItem, StatusChange
from orders.services import find_item, lock_order
from orders.signals import order_amended
from orders.statuses import ITEM_NAMES, ORDER_NAMES, TERMINAL

# What an amendment writes on the order's own row.
AMENDED_FIELDS = ("note", "pickup_time", "due_at", "version", "updated_at")


@dataclass(slots=True, frozen=True)
class ItemAmendment:
    """New values of an item; None: unchanged. `quantity` is 1 or more, an empty note removes it."""

    note: str | None = None
    quantity: int | None = None


def amend_order(
    order_id: str,
    *,
    note: str | None = None,
    pickup_time: datetime | None = None,
    items: Mapping[str, ItemAmendment] | None = None,
    actor: str,
    reason: str = "",
    kitchen: str | None = None,
    expected: Container[int] | None = None,
) -> Order:
    """Give an open order another note or pickup time, or its items (by PLU) another note or quantity.

    None leaves a value unchanged. The same values again change and record nothing. `pickup_time` is aware; the due time
    follows it. PLUs are matched as in `move_item`. Nothing is written unless all can be.
    Raises Order.DoesNotExist, OrderItem.DoesNotExist, StaleVersion, ImpossibleAmendment.
    """
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        amended = [
            (find_item(order.loaded_items, plu), amendment) for plu, amendment in (items or {}).items()
        ]
        at = max(clock.now(), order.updated_at)
        changes = _change(order, None, "note", note)
        if moved := _change(order, None, "pickup_time", pickup_time):
            changes += moved + _change(order, None, "due_at", _due(order, at))
        touched = []
        for item, amendment in amended:
            of_item = [
                *_change(item, item.plu, "quantity", amendment.quantity),
                *_change(item, item.plu, "note", amendment.note),
            ]
            if of_item and item.status in TERMINAL and order.status not in TERMINAL:
                raise ImpossibleAmendment(f"Item {item.plu}", ITEM_NAMES[item.status])
            if of_item:
                touched.append(item)
                changes += of_item
        if not changes:
            return order
        if order.status in TERMINAL:
            raise ImpossibleAmendment("The order", ORDER_NAMES[order.status])
        order.version += 1
        order.updated_at = at
        amendment_row = Amendment(
            order_id=order.id, version=order.version, changes=changes, at=at, actor=actor, reason=reason
        )
        statements.update(order, AMENDED_FIELDS)
        statements.amend_items(touched)
        statements.insert(Amendment, [amendment_row])
        order_amended.send(Order, order=order, amendment=amendment_row)
    return order


def _change(row: Order | OrderItem, plu: str | None, field: str, value: Any) -> list[dict[str, Any]]:
    """Set `field` where `value` is another one; returns what has changed."""
    before = getattr(row, field)
    if value is None or value == before:
        return []
    setattr(row, field, value)
    return [{"plu": plu, "field": field, "before": _plain(before), "after": _plain(value)}]


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _due(order: Order, now: datetime) -> datetime:
    """When an order is due by its pickup time, by the same rule as for a new order."""
    if order.pickup_time > now:
        return order.pickup_time
    # `created_at` is the channel's time; the first entry was recorded when the order arrived.
    first = (
        StatusChange.objects.filter(order_id=order.id)
        .order_by("sequence")
        .values_list("recorded_at", flat=True)
    )
    arrived = first[0]
    return order.pickup_time if order.pickup_time > arrived else arrived + order.kitchen.target
