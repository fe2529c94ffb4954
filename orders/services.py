"""What can be done to an order. The only module that changes a status.

Each function is one transaction and one *change*: it locks the order's row first, then reads, checks and writes, and
all history entries that it writes share the change's number. A refusal (orders.errors) leaves nothing changed.
What a change does is decided by `orders.moves`.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from itertools import groupby

from django.db import DatabaseError, IntegrityError, InternalError, transaction
from psycopg.errors import UniqueViolation

from orders import clock, moves, statements
from orders.errors import ImpossibleMove, OrderExists, StaleVersion
from orders.ids import has_room_for_mark, marked_id
from orders.models import Change, Kitchen, Order, OrderItem, StatusChange
from orders.new import NewOrder
from orders.signals import order_changed
from orders.statuses import ITEM_NAMES, MOVES, ORDER_NAMES, TERMINAL

# What a change writes on the order's own row.
CHANGED_FIELDS = ("status", "version", "sequence", "changed_at", "updated_at")


def create_order(new: NewOrder, *, kitchen: Kitchen, actor: str, own_ids: bool = False) -> Order:
    """Store an order with its items and the history that its channel gives. Raises OrderExists.

    With `own_ids`, an order of another kitchen with this id is no conflict: the new order's id then gets a mark
    (orders.ids).
    """
    try:
        return _create(new, kitchen, actor)
    except OrderExists:
        # One query for both ids: a repeat takes as long, whether the id is marked or not.
        marked = marked_id(new.id, kitchen.slug)
        if not own_ids or not has_room_for_mark(new.id, kitchen.slug):
            raise
        if Order.objects.filter(id__in=[new.id, marked], kitchen=kitchen).exists():
            raise
    try:
        return _create(replace(new, id=marked), kitchen, actor)
    except OrderExists:  # by a request at the same time
        raise OrderExists(new.id) from None


def _create(new: NewOrder, kitchen: Kitchen, actor: str) -> Order:
    order, change = moves.create(new, kitchen, actor, clock.now())
    order.change = change
    with transaction.atomic():
        try:
            statements.insert_order(order)
        except (IntegrityError, InternalError) as error:
            if _is_taken_id(error):
                raise OrderExists(order.id) from None
            raise
        statements.insert(OrderItem, order.loaded_items)
        order_changed.send(Order, order=order, change=change)
    return order


def _is_taken_id(error: DatabaseError) -> bool:
    cause = error.__cause__
    if isinstance(cause, UniqueViolation):
        # The coordinator of a cluster doesn't name the constraint; an order's row has no other unique one.
        return cause.diag.constraint_name in (None, "orders_order_pkey")
    # For rows that it passes on to its workers, the coordinator names the error in its text only.
    return 'unique constraint "orders_order_pkey' in str(cause)


def move_order(
    order_id: str,
    to: int,
    *,
    actor: str,
    reason: str = "",
    kitchen: str | None = None,
    expected: Container[int] | None = None,
) -> Order:
    """Move an order forward; items that are behind follow. The same status again changes nothing.

    Raises Order.DoesNotExist, StaleVersion, ImpossibleMove.
    """
    return change_order(
        order_id, kitchen, expected, lambda order: moves.move_order(order, to, actor, reason, clock.now())
    )


def move_item(
    order_id: str,
    plu: str,
    to: int,
    *,
    actor: str,
    reason: str = "",
    kitchen: str | None = None,
    expected: Container[int] | None = None,
) -> tuple[Order, OrderItem]:
    """Move one item forward; where the kitchen wants it, the order is lifted to what its items stand for.

    The PLU is matched exactly first, then without one trailing slash. An order that is lifted does not push its other
    items. Raises Order.DoesNotExist, OrderItem.DoesNotExist, StaleVersion, ImpossibleMove.
    """

    def move(order: Order) -> Change | None:
        item = find_item(order.loaded_items, plu)
        return moves.move_item(order, item, to, actor, reason, clock.now())

    order = change_order(order_id, kitchen, expected, move)
    return order, find_item(order.loaded_items, plu)


def move_items(
    order_id: str,
    plus: Sequence[str],
    to: int,
    *,
    actor: str,
    reason: str = "",
    kitchen: str | None = None,
    expected: Container[int] | None = None,
) -> Order:
    """Move several items forward as one change: a station's part of an order. Items already that far stay.

    Raises Order.DoesNotExist, OrderItem.DoesNotExist, StaleVersion, ImpossibleMove.
    """

    def move(order: Order) -> Change | None:
        wanted = {find_item(order.loaded_items, plu).plu for plu in plus}
        items = [item for item in order.loaded_items if item.plu in wanted]
        return moves.move_items(order, items, to, actor, reason, clock.now())

    return change_order(order_id, kitchen, expected, move)


def change_order(
    order_id: str,
    kitchen: str | None,
    expected: Container[int] | None,
    change_of: Callable[[Order], Change | None],
) -> Order:
    """Lock an order and load its items, apply `change_of` to it, and store the change where there is one.

    Raises Order.DoesNotExist, StaleVersion, ImpossibleMove, and what `change_of` raises.
    """
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        try:
            change = change_of(order)
        except moves.Impossible as move:
            raise _impossible(order, move) from None
        if change is not None:
            store(order, change)
    return order


def lock_order(order_id: str, kitchen: str | None, expected: Container[int] | None) -> Order:
    """The order with its row locked and its items loaded, as every change of it begins.

    Raises Order.DoesNotExist and StaleVersion.
    """
    order = statements.locked_order(order_id, kitchen)
    if expected is not None and order.version not in expected:
        raise StaleVersion(order.version)
    order.loaded_items = statements.items_of(order.id)
    return order


def find_item(items: Sequence[OrderItem], plu: str) -> OrderItem:
    """By its PLU exactly, else by it without one trailing slash. Raises OrderItem.DoesNotExist."""
    by_plu = {item.plu: item for item in items}
    item = by_plu.get(plu) or by_plu.get(plu.removesuffix("/"))
    if item is None:
        raise OrderItem.DoesNotExist(f"The order has no item with the PLU {plu}.")
    return item


def store(order: Order, change: Change) -> None:
    """Write what `change` did to the order and its items, its history with it, and send `order_changed`."""
    moved = sorted((row.to_status, row.plu) for row in change.rows if row.plu is not None)
    for status, rows in groupby(moved, key=lambda row: row[0]):
        statements.move_items(order.id, [plu for _, plu in rows], status)
    order.change = change
    statements.update_order(order, CHANGED_FIELDS)
    order_changed.send(Order, order=order, change=change)


def _impossible(order: Order, move: moves.Impossible) -> ImpossibleMove:
    """The refusal of a move, with who brought the order or item to where it is: a cook who was slower wants to know."""
    last = (
        StatusChange.objects.filter(order_id=order.id, plu=move.plu, to_status=move.current)
        .order_by("-sequence")
        .first()
    )
    by = f"{last.actor} did that at {last.at:%H:%M:%S} UTC. " if last else ""
    allowed = () if order.status in TERMINAL else MOVES[move.current]
    subject, names = ("The order", ORDER_NAMES) if move.plu is None else (f"Item {move.plu}", ITEM_NAMES)
    return ImpossibleMove(
        subject, names[move.current], names[move.wanted], (names[status] for status in allowed), by
    )
