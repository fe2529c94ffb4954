"""How history is written: the service builds a `Change`, the receiver of `post_save` stores it.

The service holds the order's lock and has read the stored status, so the change says truly what was before.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orders import clock
from orders.models import Order, StatusChange
from orders.statuses import Kind


@dataclass(slots=True)
class Change:
    """One action on one order: its number, who did it and why, and the rows that it writes."""

    order: Order
    actor: str
    at: datetime
    reason: str = ""
    kind: Kind = Kind.TRANSITION
    recalls: int | None = None
    rows: list[StatusChange] = field(default_factory=list)

    def record(
        self,
        plu: str | None,
        before: int | None,
        after: int,
        *,
        at: datetime | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Add one row, with the order's next sequence number. `at` is given for imports only."""
        order = self.order
        order.sequence += 1
        self.rows.append(
            StatusChange(
                order_id=order.id,
                sequence=order.sequence,
                plu=plu,
                from_status=before,
                to_status=after,
                kind=self.kind if kind is None else kind,
                change=order.version,
                recalls=self.recalls,
                at=at or self.at,
                recorded_at=self.at,
                actor=self.actor,
                reason=self.reason,
            )
        )


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
    StatusChange.objects.append(change.rows)
