"""What each number counts, exactly (docs/analytics.md tells it to people, ADR 13 why).

Every number is a sum over rows of the history. What a row adds depends on that row, the rows of its order with lower
sequences, and fields of its order that never change; all of these are there before the change feed gives the row. So
the sums come out the same in whatever order and in whatever portions the rows are read, and nothing added is ever
taken away by hand: where a number can go down, a later row adds −1.

*Chain*: the rows of an order itself, or of one of its items, by sequence. Imports are rows like any other, with the
times that their channel gave.

*Time in status*: each row closes the status that the row before it in its chain has entered, if that is RECEIVED
(ORDERED), PREPARING or READY. The length is the difference of their `at`; it counts in the hour of the closing
row's `at`. A recall is a change like any other: it closes the status that it takes back, and the time in the status
that it returns to begins anew. A length below zero (imports that are out of order) is no time and is not counted.

*Throughput*, in the hour of the order's `created_at`:
- orders: 1 for the first row of an order. items: 1 for the first row of an item (lines, not pieces).
- cancelled: orders that are CANCELLED: +1 for a row of the order that enters it, −1 for one that leaves it (which only
  imports do).
- recalled: orders in which anything was taken back: 1 for the order's first row of a recall.
- late: orders that got READY, or PICKED_UP without having been READY, after they were due: 1 for the first row of the
  order that goes there from below with `at` after `due_at`.
- pickups and their time: the times in status READY of orders that PICKED_UP closes.

*Customers*, by account: orders, the first and the last `created_at`.

Stations (issue 3) decide by PLU, so their figures are sums of the figures by PLU.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.feed import Event
from orders.statuses import CANCELLED, OPEN, PICKED_UP, READY, Kind

_MICROSECOND = timedelta(microseconds=1)
# Where an order is ready, or has been.
DONE = (READY, PICKED_UP)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the history with what the rules ask of its order and of the rows before it."""

    event: Event
    kitchen: str
    brand: str
    channel: str
    account: str
    created_at: datetime
    due_at: datetime
    # When the row before it in its chain happened; asked for only where that row entered a transient status.
    before_at: datetime | None
    # Whether the order has an earlier row of a recall; asked for only if this is one.
    recalled_before: bool
    # Whether the order has an earlier row that made it late; asked for only if this one may.
    late_before: bool

    def micros_in_status(self) -> int | None:
        """The length of the time in status `event.from_status` that the row closes; None where it closes none."""
        if self.before_at is None or self.event.from_status not in OPEN:
            return None
        micros = (self.event.at - self.before_at) // _MICROSECOND
        return micros if micros >= 0 else None


@dataclass(slots=True)
class Throughput:
    """What is counted by hour of creation."""

    orders: int = 0
    items: int = 0
    cancelled: int = 0
    recalled: int = 0
    late: int = 0
    pickups: int = 0
    pickup_micros: int = 0

    def add(self, row: Row) -> None:
        event = row.event
        self.orders += event.sequence == 1
        self.recalled += event.kind == Kind.RECALL and not row.recalled_before
        if event.plu is not None:
            self.items += event.from_status is None
            return
        self.cancelled += (event.to_status == CANCELLED) - (event.from_status == CANCELLED)
        self.late += makes_late(event, row.due_at) and not row.late_before
        if event.from_status == READY and event.to_status == PICKED_UP:
            micros = row.micros_in_status()
            if micros is not None:
                self.pickups += 1
                self.pickup_micros += micros


def makes_late(event: Event, due_at: datetime) -> bool:
    return (
        event.plu is None and event.to_status in DONE and event.from_status not in DONE and event.at > due_at
    )
