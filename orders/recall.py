"""Recall: the only way back. It takes back one change, as a whole (ADR 6)."""

from collections.abc import Container

from orders import clock, moves, statements
from orders.models import Change, Order
from orders.services import change_order, find_item


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
    entry of it goes back to the status before it. An order that its items have lifted follows them back instead; one
    that somebody moved to READY or beyond since keeps its items, and so blocks the recall.
    Raises Order.DoesNotExist, OrderItem.DoesNotExist, StaleVersion, NothingToRecall, CancellationIsFinal,
    RecallExpired, RecallBlocked.
    """

    def back(order: Order) -> Change:
        stored_plu = None if plu is None else find_item(order.loaded_items, plu).plu
        history = statements.history_by_order([order.id])[order.id]
        return moves.recall(order, history, stored_plu, actor, reason, clock.now())

    return change_order(order_id, kitchen, expected, back)
