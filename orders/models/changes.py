"""A change while it is written: `orders.moves` builds it, the receiver of `post_save` stores it (orders/history.py)."""

from dataclasses import dataclass, field
from datetime import datetime

from orders.models.history import HistoryEntry
from orders.models.orders import Order
from orders.statuses import Kind


@dataclass(slots=True)
class Change:
    """One action on one order: its number, who did it and why, and the history entries that it writes."""

    order: Order
    actor: str
    at: datetime
    reason: str = ""
    kind: Kind = Kind.TRANSITION
    recalls: int | None = None
    rows: list[HistoryEntry] = field(default_factory=list)

    def record(
        self,
        plu: str | None,
        before: int | None,
        after: int,
        *,
        at: datetime | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Add one entry, with the order's next sequence number. `at` differs from the change's for imports only."""
        order = self.order
        order.sequence += 1
        self.rows.append(
            HistoryEntry(
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
