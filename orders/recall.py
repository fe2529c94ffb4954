"""Recall: the only way back. It takes back one change, as a whole (ADR on recall)."""

from collections import defaultdict
from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import cast

from django.db import transaction

from orders import clock, statements
from orders.errors import CancellationIsFinal, NothingToRecall, RecallBlocked, RecallExpired, Refusal
from orders.history import begin
from orders.models import Change, Order, OrderItem, StatusChange
from orders.services import find_item, lock_order, store
from orders.statuses import CANCELLED, READY, Kind, follows, lifted


def recall(
    order_id: str,
    *,
    plu: str | None = None,
    actor: str,
    reason: str = "",
    kitchen: str | None = None,
    expected: Container[int] | None = None,
) -> Order:
    """Take back the latest change of an order, or the latest that moved the item `plu`.

    The latest change is the last one that is no recall, has not been recalled, and is not the order's creation. Every
    row of it goes back to the status before it. An order that its items have lifted follows them back instead; one that
    somebody moved to READY or beyond since keeps its items, and so blocks the recall.
    Raises Order.DoesNotExist, OrderItem.DoesNotExist, StaleVersion, NothingToRecall, CancellationIsFinal,
    RecallExpired, RecallBlocked.
    """
    with transaction.atomic():
        order = lock_order(order_id, kitchen, expected)
        items = order.loaded_items = statements.items_of(order.id)
        if plu is not None:
            plu = find_item(items, plu).plu
        log = list(StatusChange.objects.filter(order_id=order.id).order_by("sequence"))
        change, back = take_back(order, items, log, plu, actor, reason, at=clock.now())
        for status, plus in back.items():
            statements.move_items(order.id, plus, status)
        store(order, change)
    return order


def take_back(
    order: Order,
    items: list[OrderItem],
    log: Sequence[StatusChange],
    plu: str | None,
    actor: str,
    reason: str,
    *,
    at: datetime,
) -> tuple[Change, dict[int, list[str]]]:
    """What `recall` does but for reading and writing: the change, and which items go back to which status.

    `log` is the order's whole history. Raises what `recall` does; `order` and `items` are spoilt then.
    """
    history = _Standing(log)
    rows = history.latest(plu)
    _check(order, rows, history, plu, at)
    change = begin(order, actor, reason, kind=Kind.RECALL, recalls=rows[0].change, at=at)
    target = order.status
    if rows[0].plu is None:
        target = _before(rows[0])
        change.record(None, order.status, target)
    by_plu = {item.plu: item for item in items}
    back: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row.plu is not None:
            item, before = by_plu[row.plu], _before(row)
            change.record(item.plu, item.status, before)
            item.status = before
            back[before].append(item.plu)
    if rows[0].plu is not None:
        lift = next((row for row in rows if row.plu is None), None)
        if lift is not None or order.kitchen.auto_advance:
            target = history.lowered(order.status, lifted(item.status for item in items))
        if lift is not None and history.is_last(lift.change):
            target = min(target, _before(lift))
        _check_agreement(items, target, history.standing[None])
        if target != order.status:
            change.record(None, order.status, target)
    order.status = target
    return change, back


def can_take_back(order: Order, log: Sequence[StatusChange], *, at: datetime) -> bool:
    """Whether a recall of the order would have something to take back, as far as its whole history `log` tells."""
    history = _Standing(log)
    try:
        _check(order, history.latest(None), history, None, at)
    except Refusal:
        return False
    return True


def _check(
    order: Order, rows: list[StatusChange], history: "_Standing", plu: str | None, at: datetime
) -> None:
    """Whether the change `rows` can be taken back `at` that time."""
    if not rows:
        what = f"Item {plu}" if plu is not None else "The order"
        raise NothingToRecall(f"{what} has no change that could be taken back.")
    if any(row.to_status == CANCELLED for row in rows):
        raise CancellationIsFinal
    minutes = order.kitchen.recall_minutes
    if at - rows[0].at > timedelta(minutes=minutes):
        raise RecallExpired(rows[0].at, minutes)
    for row in rows:
        if row.plu is None and rows[0].plu is not None:
            continue  # A lift: the order follows its items, wherever it has got to since.
        standing = history.standing[row.plu]
        if standing.sequence != row.sequence:
            subject = "The order" if row.plu is None else f"Item {row.plu}"
            raise RecallBlocked(subject, standing.change, standing.actor)


def _check_agreement(items: list[OrderItem], order_status: int, standing: StatusChange) -> None:
    """An order that somebody called ready, picked up or cancelled since keeps its items there."""
    if order_status >= READY and any(follows(item.status, order_status) for item in items):
        if order_status == CANCELLED:
            raise CancellationIsFinal
        raise RecallBlocked("The order", standing.change, standing.actor)


def _before(row: StatusChange) -> int:
    """The status before a row that is no creation, so there is one."""
    return cast(int, row.from_status)


class _Standing:
    """The history of one order without what recalls have taken back."""

    def __init__(self, rows: Sequence[StatusChange]) -> None:
        gone = {row.recalls for row in rows if row.kind == Kind.RECALL}
        changes: defaultdict[int, list[StatusChange]] = defaultdict(list)
        # For the order (None) and each item, the row that its present status stems from.
        self.standing: dict[str | None, StatusChange] = {}
        for row in rows:
            if row.kind != Kind.RECALL and row.change not in gone:
                changes[row.change].append(row)
                self.standing[row.plu] = row
        # The first change is the creation; there is nothing before it to go back to.
        self.created = [row.to_status for row in changes.pop(1) if row.plu is None][-1]
        self.changes = changes

    def latest(self, plu: str | None) -> list[StatusChange]:
        """The rows of the latest change, or of the latest that moved `plu`; empty where there is none."""
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
