"""What can be done to an order. The only module that changes a status.

Each function is one transaction and one *change*: it locks the order's row first, then reads, checks and writes, and
all history rows that it writes share the change's number. A refusal (orders.errors) leaves nothing changed.
"""

from collections.abc import Container, Sequence
from dataclasses import replace

from django.db import DatabaseError, IntegrityError, InternalError, transaction
from psycopg.errors import UniqueViolation

from orders import clock, statements
from orders.errors import ImpossibleMove, OrderExists, StaleVersion
from orders.history import CHANGED_FIELDS, begin
from orders.ids import has_room_for_mark, marked_id
from orders.models import Change, Kitchen, Order, OrderItem, StatusChange
from orders.new import NewOrder
from orders.signals import order_changed
from orders.statuses import ITEM_NAMES, MOVES, ORDER_NAMES, READY, TERMINAL, Kind, follows, lifted


def create_order(new: NewOrder, *, kitchen: Kitchen, actor: str, own_ids: bool = False) -> Order:
    """Take in an order with its items and what its channel tells of its past. Raises OrderExists.

    With `own_ids`, what another kitchen calls by this id is no conflict: the order's id then gets a mark (orders.ids).
    """
    try:
        return _create(new, kitchen, actor)
    except OrderExists:
        # One question for both ids: a repeat takes as long, whether the id is marked or not.
        marked = marked_id(new.id, kitchen.slug)
        if not own_ids or not has_room_for_mark(new.id, kitchen.slug):
            raise
        if Order.objects.filter(id__in=[new.id, marked], kitchen=kitchen).exists():
            raise
    try:
        return _create(replace(new, id=marked), kitchen, actor)
    except OrderExists:  # by somebody who came at the same moment
        raise OrderExists(new.id) from None


def _create(new: NewOrder, kitchen: Kitchen, actor: str) -> Order:
    """Store a new order, its items and its history. Raises OrderExists.

    The order is due at its pickup time or, where that has passed already, the kitchen's target from now.
    An item without a status of its own takes the order's; under an order that comes READY or beyond, items that
    are behind follow it.
    """
    now = clock.now()
    order = Order(
        id=new.id,
        kitchen=kitchen,
        status=new.status,
        version=1,
        sequence=0,
        changed_at=now,
        updated_at=now,
        created_at=new.created_at or now,
        due_at=new.pickup_time if new.pickup_time > now else now + kitchen.target,
        currency=new.currency or kitchen.currency,
        pickup_time=new.pickup_time,
        **new.details,
    )
    change = Change(order, actor, at=now)
    before: int | None = None
    for past in new.history:
        change.record(None, before, past.status, at=past.at, kind=Kind.IMPORT)
        before = past.status
    if before != new.status:
        change.record(None, before, new.status)
    items = []
    for position, line in enumerate(new.items):
        status = new.status if line.status is None else line.status
        if new.status >= READY and follows(status, new.status):
            status = new.status
        items.append(
            OrderItem(order_id=order.id, plu=line.plu, position=position, status=status, **line.details)
        )
        change.record(line.plu, None, status)
    order.change = change
    with transaction.atomic():
        try:
            statements.insert_order(order)
        except (IntegrityError, InternalError) as error:
            if _is_taken_id(error):
                raise OrderExists(order.id) from None
            raise
        statements.insert(OrderItem, items)
        order.loaded_items, order.loaded_history = items, change.rows
        order_changed.send(Order, order=order, change=change)
    return order


def _is_taken_id(error: DatabaseError) -> bool:
    cause = error.__cause__
    if isinstance(cause, UniqueViolation):
        # The coordinator of a cluster doesn't say which one; of an order's row there is no other.
        return cause.diag.constraint_name in (None, "orders_order_pkey")
    # Nor does it say of rows that it passes on to its machines what is wrong with them, but in words.
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
    """Move an order forward; items that are behind come along. The same status again changes nothing.

    Raises Order.DoesNotExist, StaleVersion, ImpossibleMove.
    """
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        items = order.loaded_items = statements.items_of(order.id)
        if order.status == to:
            return order
        if to not in MOVES[order.status]:
            raise _impossible(order, None, order.status, to)
        change = begin(order, actor, reason)
        change.record(None, order.status, to)
        order.status = to
        behind = [item for item in items if follows(item.status, to)]
        for item in behind:
            change.record(item.plu, item.status, to)
            item.status = to
        statements.move_items(order.id, [item.plu for item in behind], to)
        store(order, change)
    return order


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
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        items = order.loaded_items = statements.items_of(order.id)
        item = find_item(items, plu)
        if item.status == to:
            return order, item
        if to not in MOVES[item.status] or order.status in TERMINAL:
            raise _impossible(order, item.plu, item.status, to)
        _advance(order, [item], to, actor, reason)
    return order, item


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
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        items = order.loaded_items = statements.items_of(order.id)
        moving = {find_item(items, plu).plu for plu in plus}
        behind = [item for item in items if item.plu in moving and follows(item.status, to)]
        if not behind:
            return order
        if order.status in TERMINAL:
            raise _impossible(order, None, order.status, to)
        _advance(order, behind, to, actor, reason)
    return order


def _advance(order: Order, moving: list[OrderItem], to: int, actor: str, reason: str) -> None:
    """Move items of an order whose lock is held, and lift the order where its kitchen wants that."""
    change = begin(order, actor, reason)
    for item in moving:
        change.record(item.plu, item.status, to)
        item.status = to
    statements.move_items(order.id, [item.plu for item in moving], to)
    if order.kitchen.auto_advance:
        target = lifted(line.status for line in order.loaded_items)
        if target > order.status:
            change.record(None, order.status, target)
            order.status = target
    store(order, change)


def lock_order(order_id: str, kitchen: str | None, expected: Container[int] | None) -> Order:
    """The order with its row locked, as every change of it begins. Raises Order.DoesNotExist and StaleVersion."""
    order = statements.locked_order(order_id, kitchen)
    if expected is not None and order.version not in expected:
        raise StaleVersion(order.version)
    return order


def find_item(items: Sequence[OrderItem], plu: str) -> OrderItem:
    """By its PLU exactly, else by it without one trailing slash. Raises OrderItem.DoesNotExist."""
    by_plu = {item.plu: item for item in items}
    found = by_plu.get(plu) or by_plu.get(plu.removesuffix("/"))
    if found is None:
        raise OrderItem.DoesNotExist(f"The order has no item with the PLU {plu}.")
    return found


def store(order: Order, change: Change) -> None:
    """Write what `change` did to the order's own row, its history with it, and tell who listens."""
    order.change = change
    statements.update_order(order, CHANGED_FIELDS)
    order_changed.send(Order, order=order, change=change)


def _impossible(order: Order, plu: str | None, current: int, wanted: int) -> ImpossibleMove:
    """The refusal of a move of an order (`plu` None) or of its item, with who brought it to where it is: a cook that
    was slower wants to know."""
    last = (
        StatusChange.objects.filter(order_id=order.id, plu=plu, to_status=current)
        .order_by("-sequence")
        .first()
    )
    told = f"{last.actor} did that at {last.at:%H:%M:%S} UTC. " if last else ""
    allowed = () if order.status in TERMINAL else MOVES[current]
    subject, names = ("The order", ORDER_NAMES) if plu is None else (f"Item {plu}", ITEM_NAMES)
    return ImpossibleMove(subject, names[current], names[wanted], (names[status] for status in allowed), told)
