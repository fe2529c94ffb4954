"""How history is written: the service builds a `Change`, the receiver of `post_save` stores it.

The service holds the order's lock and has read the stored status, so the change says truly what was before.
"""

from datetime import datetime
from typing import Any

from orders import clock, statements
from orders.models import Change, Order, StatusChange
from orders.statuses import Kind


def begin(
    order: Order,
    actor: str,
    reason: str = "",
    *,
    kind: Kind = Kind.TRANSITION,
    recalls: int | None = None,
    at: datetime | None = None,
) -> Change:
    """Start the next change of an order whose lock is held. Its time is never before that of the change before."""
    order.version += 1
    order.changed_at = max(at or clock.now(), order.changed_at)
    # An amendment touches an order without a change; its time never goes back either.
    order.updated_at = max(order.changed_at, order.updated_at)
    return Change(order, actor, order.changed_at, reason, kind, recalls)


# What a change writes on the order's own row.
CHANGED_FIELDS = ("status", "version", "sequence", "changed_at", "updated_at")


def record_history(sender: type[Order], instance: Order, raw: bool = False, **kwargs: Any) -> None:
    """Receiver of `post_save`: stores the change that the service handed to the order it saved, and nothing else.

    An order saved without a change has no new status (`Order.save` refuses that); loaded fixtures bring their
    own history (`raw`).
    """
    change = instance.change
    if raw or change is None:
        return
    instance.change = None
    statements.insert(StatusChange, change.rows)
