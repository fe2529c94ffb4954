"""What a change does to an order and its items, without reading or writing: the rules of services and simulated pasts.

Orders come with `loaded_items`. Each function changes them in memory and returns the change with its history entries,
or None where there is nothing to change. A refusal leaves them as they were.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from orders.errors import CancellationIsFinal, NothingToRecall, RecallBlocked, RecallExpired, Refusal
from orders.models import AnyEntry, Change, Kitchen, Order, OrderItem
from orders.new import NewOrder
from orders.statuses import CANCELLED, MOVES, READY, TERMINAL, Kind, follows, lifted


class Impossible(ValueError):
    """The order (`plu` None) or its item can't go from `current` to `wanted`."""

    def __init__(self, plu: str | None, current: int, wanted: int) -> None:
        super().__init__(f"{'Order' if plu is None else f'Item {plu}'}: {current} → {wanted}")
        self.plu, self.current, self.wanted = plu, current, wanted


def create(new: NewOrder, kitchen: Kitchen, actor: str, at: datetime) -> tuple[Order, Change]:
    """A new order with its items, history and first change.

    The order is due at its pickup time or, where that has passed already, the kitchen's target from now.
    An item without a status of its own takes the order's; under an order that comes READY or beyond, items that
    are behind follow it.
    """
    order = Order(
        id=new.id,
        kitchen=kitchen,
        status=new.status,
        version=1,
        sequence=0,
        changed_at=at,
        updated_at=at,
        created_at=new.created_at or at,
        due_at=new.pickup_time if new.pickup_time > at else at + kitchen.target,
        currency=new.currency or kitchen.currency,
        pickup_time=new.pickup_time,
        **new.details,
    )
    change = Change(order, actor, at)
    before: int | None = None
    for past in new.history:
        change.record(None, before, past.status, at=past.at, kind=Kind.IMPORT)
        before = past.status
    if before != new.status:
        change.record(None, before, new.status)
    order.loaded_items, order.loaded_history = [], change.rows
    for position, item in enumerate(new.items):
        status = new.status if item.status is None else item.status
        if new.status >= READY and follows(status, new.status):
            status = new.status
        order.loaded_items.append(
            OrderItem(order_id=order.id, plu=item.plu, position=position, status=status, **item.details)
        )
        change.record(item.plu, None, status)
    return order, change


def move_order(order: Order, to: int, actor: str, reason: str, at: datetime) -> Change | None:
    """Move an order forward; items that are behind follow. Raises Impossible."""
    if order.status == to:
        return None
    if to not in MOVES[order.status]:
        raise Impossible(None, order.status, to)
    change = begin(order, actor, reason, at=at)
    change.record(None, order.status, to)
    order.status = to
    _set_items(change, [item for item in order.loaded_items if follows(item.status, to)], to)
    return change


def move_item(order: Order, item: OrderItem, to: int, actor: str, reason: str, at: datetime) -> Change | None:
    """Move one item forward; where the kitchen wants it, the order is lifted. Raises Impossible."""
    if item.status == to:
        return None
    if to not in MOVES[item.status] or order.status in TERMINAL:
        raise Impossible(item.plu, item.status, to)
    return _advance(order, [item], to, actor, reason, at)


def move_items(
    order: Order, items: Sequence[OrderItem], to: int, actor: str, reason: str, at: datetime
) -> Change | None:
    """Move several items forward; those that are that far stay. Raises Impossible."""
    behind = [item for item in items if follows(item.status, to)]
    if not behind:
        return None
    if order.status in TERMINAL:
        raise Impossible(None, order.status, to)
    return _advance(order, behind, to, actor, reason, at)


def recall(
    order: Order, history: Sequence[AnyEntry], plu: str | None, actor: str, reason: str, at: datetime
) -> Change:
    """Take back the latest change of an order, or the latest that moved the item `plu` (see `orders.recall`).

    `history` is the order's whole history. Raises NothingToRecall, CancellationIsFinal, RecallExpired, RecallBlocked.
    """
    standing = _Standing(history)
    rows = standing.latest(plu)
    _check(order, rows, standing, plu, at)
    statuses = {item.plu: item.status for item in order.loaded_items}
    statuses |= {row.plu: _before(row) for row in rows if row.plu is not None}
    of_order = rows[0].plu is None
    if of_order:
        target = _before(rows[0])
    else:
        target = _after_items(order, rows, standing, statuses)
    change = begin(order, actor, reason, kind=Kind.RECALL, recalls=rows[0].change, at=at)
    if of_order:
        change.record(None, order.status, target)
    items = {item.plu: item for item in order.loaded_items}
    for row in rows:
        if row.plu is not None:
            _set_items(change, [items[row.plu]], statuses[row.plu])
    if not of_order and target != order.status:
        change.record(None, order.status, target)
    order.status = target
    return change


def can_recall(order: Order, history: Sequence[AnyEntry], *, at: datetime) -> bool:
    """Whether a recall of the order would have something to take back, as far as its whole history tells."""
    standing = _Standing(history)
    try:
        _check(order, standing.latest(None), standing, None, at)
    except Refusal:
        return False
    return True


def begin(
    order: Order,
    actor: str,
    reason: str = "",
    *,
    at: datetime,
    kind: Kind = Kind.TRANSITION,
    recalls: int | None = None,
) -> Change:
    """Start the next change of an order. Its time is never before that of the change before."""
    order.version += 1
    order.changed_at = max(at, order.changed_at)
    # An amendment touches an order without a change; its time never goes back either.
    order.updated_at = max(order.changed_at, order.updated_at)
    return Change(order, actor, order.changed_at, reason, kind, recalls)


def _advance(
    order: Order, moving: Sequence[OrderItem], to: int, actor: str, reason: str, at: datetime
) -> Change:
    """Move items, and lift the order where its kitchen wants that. A lift does not push the other items."""
    change = begin(order, actor, reason, at=at)
    _set_items(change, moving, to)
    if order.kitchen.auto_advance:
        target = lifted(item.status for item in order.loaded_items)
        if target > order.status:
            change.record(None, order.status, target)
            order.status = target
    return change


def _set_items(change: Change, items: Sequence[OrderItem], to: int) -> None:
    for item in items:
        change.record(item.plu, item.status, to)
        item.status = to


def _after_items(
    order: Order, rows: Sequence[AnyEntry], standing: "_Standing", statuses: dict[str, int]
) -> int:
    """The order's status once the items that `rows` moved are back, and all have `statuses`.

    An order that its items have lifted follows them back. Raises CancellationIsFinal, RecallBlocked: one that somebody
    called ready, picked up or cancelled since keeps its items there.
    """
    target = order.status
    lift = next((row for row in rows if row.plu is None), None)
    if lift is not None or order.kitchen.auto_advance:
        target = standing.lowered(order.status, lifted(statuses.values()))
    if lift is not None and standing.is_last(lift.change):
        target = min(target, _before(lift))
    if target >= READY and any(follows(status, target) for status in statuses.values()):
        if target == CANCELLED:
            raise CancellationIsFinal
        last = standing.entries[None]
        raise RecallBlocked("The order", last.change, last.actor)
    return target


def _check(
    order: Order, rows: Sequence[AnyEntry], standing: "_Standing", plu: str | None, at: datetime
) -> None:
    """Refuses a change (`rows`) that can't be taken back `at` that time."""
    if not rows:
        subject = f"Item {plu}" if plu is not None else "The order"
        raise NothingToRecall(f"{subject} has no change that can be recalled.")
    if any(row.to_status == CANCELLED for row in rows):
        raise CancellationIsFinal
    minutes = order.kitchen.recall_minutes
    if at - rows[0].at > timedelta(minutes=minutes):
        raise RecallExpired(rows[0].at, minutes)
    for row in rows:
        if row.plu is None and rows[0].plu is not None:
            continue  # A lift: the order follows its items, wherever it is now.
        last = standing.entries[row.plu]
        if last.sequence != row.sequence:
            subject = "The order" if row.plu is None else f"Item {row.plu}"
            raise RecallBlocked(subject, last.change, last.actor)


def _before(row: AnyEntry) -> int:
    """The status before an entry that is no creation, so there is one."""
    return cast(int, row.from_status)


class _Standing:
    """The history of one order without what recalls have taken back."""

    def __init__(self, history: Sequence[AnyEntry]) -> None:
        recalled = {row.recalls for row in history if row.kind == Kind.RECALL}
        changes: defaultdict[int, list[AnyEntry]] = defaultdict(list)
        # For the order (None) and each item, the entry that its present status comes from.
        self.entries: dict[str | None, AnyEntry] = {}
        for row in history:
            if row.kind != Kind.RECALL and row.change not in recalled:
                changes[row.change].append(row)
                self.entries[row.plu] = row
        # The first change is the creation; there is nothing before it to go back to.
        self.created = [row.to_status for row in changes.pop(1) if row.plu is None][-1]
        self.changes = changes

    def latest(self, plu: str | None) -> list[AnyEntry]:
        """The entries of the latest change, or of the latest that moved `plu`; empty where there is none."""
        for number in sorted(self.changes, reverse=True):
            rows = self.changes[number]
            if plu is None or any(row.plu == plu for row in rows):
                return rows
        return []

    def is_last(self, number: int) -> bool:
        """Whether nothing stands that came after that change, so that taking it back leads to what was before it."""
        return number == max(self.changes)

    def lowered(self, status: int, wanted: int) -> int:
        """Where an order in `status` goes after its items went back and now stand for `wanted`.

        Only what items lifted comes down again, and not below where somebody put the order itself.
        """
        floor = self.created
        for number in sorted(self.changes):
            if self.changes[number][0].plu is None:
                floor = self.changes[number][0].to_status
        return min(status, max(floor, wanted))
