"""What each number counts, exactly (docs/analytics.md explains it to users, ADR 13 gives the reasons).

Every number is a sum over rows of the history. What a row adds depends on that row, the rows of its order with lower
sequences, and fields of its order that never change; all of these exist before the change feed returns the row. So the
sums are the same in whatever order and pages the rows are read, and nothing is ever subtracted by hand: where a number
can go down, a later row adds −1.

*Chain*: the rows of an order itself, or of one of its items, by sequence. Imports are rows like any other, with the
times that their channel sent.

*Time in status*: each row ends the status that the row before it in its chain entered, if that is RECEIVED (ORDERED),
PREPARING or READY. The duration is the difference of their `at`; it is counted in the hour of the later row's `at`. A
recall is a change like any other: it ends the status that it undoes, and the time in the status that it returns to
starts again. A negative duration (imports out of order) is not counted.

*Throughput*, in the hour of the order's `created_at`:
- orders: 1 for the first row of an order. items: 1 for the first row of an item (not quantities).
- cancelled: orders that are CANCELLED: +1 for a row of the order that enters it, −1 for one that leaves it (which only
  imports do).
- recalled: orders with a recall: 1 for the order's first row of a recall.
- late: orders that got READY, or PICKED_UP without having been READY, after they were due: 1 for the first row of the
  order that goes there from a lower status with `at` after the order was due, as known then: a later amendment doesn't
  change what an earlier row added.
- pickups and their time: the times of orders in READY that PICKED_UP ends.
- imported: orders with a history that their channel sent: 1 for the order's first row of an import.
- skipped: orders that skipped a status (RECEIVED straight to READY; picked up without having been READY): 1 for the
  order's first row that does, other than a recall or a cancellation. One created as PREPARING has skipped RECEIVED.

*Products*, by brand and PLU: orders that have it, in the hour of the order's `created_at`; and, in the hour in which an
item got ready for the first time, how long that took, from its first row or, if later, from LEAD before the order was
due: an order for later waits until then. An item that was ready before that, or created as ready, has no duration. A
product's name is that in the latest order that has it, by `created_at` and id.

*Mass moves*, in the hour of their `at`, by kitchen: changes of orders (no imports, no recalls) to READY or PICKED_UP,
counted by actor, status and slot of ten seconds; a slot of MASS and more is a mass move: nobody hands out five orders
in ten seconds, somebody cleared the wall. Moves made together may fall into two slots, so small ones may be missed.

*Customers*, by account: orders, the first and the last `created_at`.

Stations are assigned by PLU, so their figures are sums of the figures by PLU.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orders.models import HistoryEntry
from orders.statuses import CANCELLED, OPEN, PICKED_UP, READY, Kind

_MICROSECOND = timedelta(microseconds=1)
# Stored with the rollups; those of other rules are rebuilt. Raise it with every change of what is counted.
RULES: Final = 3
# An order is ready, or has been.
DONE = (READY, PICKED_UP)
# How long before it is due the time of an order for later starts to count.
LEAD: Final = timedelta(minutes=20)
SLOT: Final = timedelta(seconds=10)
MASS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the history with what the rules need of its order and the rows before it.

    `_FACTS` in analytics/refresh.py selects the fields after `event`, in this order.
    """

    event: HistoryEntry
    kitchen: str
    brand: str
    channel: str
    account: str
    created_at: datetime
    due_at: datetime
    # `at` of the row before it in its chain; read only where that row entered a status that is timed.
    before_at: datetime | None
    # Whether the order has an earlier row of a recall; read only if this is one.
    recalled_before: bool
    # Whether the order has an earlier row that made it late; read only if this one may.
    late_before: bool
    # Whether the order has an earlier row of an import; read only if this is one.
    imported_before: bool
    # Whether the order has an earlier row that skipped a status; read only if this one does.
    skipped_before: bool
    # `at` of the item's first row; read only if this one makes the item ready for the first time.
    item_at: datetime | None
    # The item's name; read only on its first row.
    name: str | None

    def micros_to_ready(self) -> int | None:
        """How long the item took, if the row makes it ready for the first time."""
        if self.item_at is None:
            return None
        micros = (self.event.at - max(self.item_at, self.due_at - LEAD)) // _MICROSECOND
        return micros if micros >= 0 else None

    def micros_in_status(self) -> int | None:
        """The time in status `event.from_status` that the row ends; None if it ends none."""
        if self.before_at is None or self.event.from_status not in OPEN:
            return None
        micros = (self.event.at - self.before_at) // _MICROSECOND
        return micros if micros >= 0 else None


@dataclass(slots=True)
class Throughput:
    """The counts by hour of creation."""

    orders: int = 0
    items: int = 0
    cancelled: int = 0
    recalled: int = 0
    late: int = 0
    pickups: int = 0
    pickup_micros: int = 0
    imported: int = 0
    skipped: int = 0

    def add(self, row: Row) -> None:
        event = row.event
        self.orders += event.sequence == 1
        self.recalled += event.kind == Kind.RECALL and not row.recalled_before
        self.imported += event.kind == Kind.IMPORT and not row.imported_before
        if event.plu is not None:
            self.items += event.from_status is None
            return
        self.cancelled += (event.to_status == CANCELLED) - (event.from_status == CANCELLED)
        self.late += makes_late(event, row.due_at) and not row.late_before
        self.skipped += skips_status(event) and not row.skipped_before
        if event.from_status == READY and event.to_status == PICKED_UP:
            micros = row.micros_in_status()
            if micros is not None:
                self.pickups += 1
                self.pickup_micros += micros


def makes_late(event: HistoryEntry, due_at: datetime) -> bool:
    return (
        event.plu is None and event.to_status in DONE and event.from_status not in DONE and event.at > due_at
    )


def skips_status(event: HistoryEntry) -> bool:
    return (
        event.plu is None
        and event.kind != Kind.RECALL
        and event.to_status != CANCELLED
        and event.to_status - (event.from_status or 0) > 1
    )


class Slot(NamedTuple):
    """Ten seconds of an hour in which an actor moved orders to a status."""

    number: int
    status: int
    actor: str

    def __str__(self) -> str:
        return f"{self.number}:{self.status}:{self.actor}"

    @classmethod
    def parse(cls, text: str) -> "Slot":
        number, status, actor = text.split(":", 2)
        return cls(int(number), int(status), actor)

    @property
    def offset(self) -> timedelta:
        """From the start of the hour."""
        return self.number * SLOT


def slot_of(event: HistoryEntry) -> Slot | None:
    """The slot that counts a row; None if the row is no move of an order to READY or PICKED_UP."""
    if (
        event.plu is not None
        or event.kind != Kind.TRANSITION
        or event.from_status is None
        or event.to_status not in DONE
    ):
        return None
    into_hour = timedelta(minutes=event.at.minute, seconds=event.at.second)
    return Slot(into_hour // SLOT, event.to_status, event.actor)
