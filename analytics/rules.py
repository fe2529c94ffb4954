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
  order that goes there from below with `at` after the order was due, as that was known then: an amendment that comes
  later judges no row anew.
- pickups and their time: the times in status READY of orders that PICKED_UP closes.
- imported: orders with a history that their channel sent: 1 for the order's first row of an import.
- skipped: orders that left a status out (RECEIVED straight to READY; picked up without having been READY): 1 for the
  order's first row that does, other than a recall or a cancellation. One that comes PREPARING has left out RECEIVED.

*Products*, by brand and PLU: in the hour of the order's `created_at` orders that have it (a PLU is unique in its
order); in the hour in which an item got ready for the first time how long that took, from its first row or, where
that was later, from LEAD before the order was due: an order for later waits until then. What was ready before that, or
came ready, has no time. A product's name is the one in the latest order that has it, by `created_at` and id.

*Moves at once*, in the hour of their `at`, by kitchen: changes of orders (no imports, no recalls) to READY or
PICKED_UP, by actor, status and ten seconds of the clock; those of MASS and more are *mass moves*: nobody hands out five
orders in ten seconds, somebody clears the wall. Two slots may share what was done at once, so small ones may be missed.

*Customers*, by account: orders, the first and the last `created_at`.

Stations decide by PLU, so their figures are sums of the figures by PLU.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orders.models import HistoryEntry
from orders.statuses import CANCELLED, OPEN, PICKED_UP, READY, Kind

_MICROSECOND = timedelta(microseconds=1)
# The rollups say which rules they were made by: others are made anew. Raise it with every change of what is counted.
RULES: Final = 3
# Where an order is ready, or has been.
DONE = (READY, PICKED_UP)
# How long before it is due an order for later begins to take time.
LEAD: Final = timedelta(minutes=20)
SLOT: Final = timedelta(seconds=10)
MASS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the history with what the rules ask of its order and of the rows before it."""

    event: HistoryEntry
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
    # Whether the order has an earlier row of an import; asked for only if this is one.
    imported_before: bool
    # Whether the order has an earlier row that left out a status; asked for only if this one does.
    skipped_before: bool
    # When the item's first row happened; asked for only if this one makes the item ready for the first time.
    item_at: datetime | None
    # The item's name; asked for only on its first row.
    name: str | None

    def micros_to_ready(self) -> int | None:
        """How long the item took, where the row makes it ready for the first time."""
        if self.item_at is None:
            return None
        micros = (self.event.at - max(self.item_at, self.due_at - LEAD)) // _MICROSECOND
        return micros if micros >= 0 else None

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
        self.skipped += skips(event) and not row.skipped_before
        if event.from_status == READY and event.to_status == PICKED_UP:
            micros = row.micros_in_status()
            if micros is not None:
                self.pickups += 1
                self.pickup_micros += micros


def makes_late(event: HistoryEntry, due_at: datetime) -> bool:
    return (
        event.plu is None and event.to_status in DONE and event.from_status not in DONE and event.at > due_at
    )


def skips(event: HistoryEntry) -> bool:
    return (
        event.plu is None
        and event.kind != Kind.RECALL
        and event.to_status != CANCELLED
        and event.to_status - (event.from_status or 0) > 1
    )


class Slot(NamedTuple):
    """Ten seconds of an hour in which somebody moved orders to a status."""

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
    def begins(self) -> timedelta:
        """After the beginning of the hour."""
        return self.number * SLOT


def slot_of(event: HistoryEntry) -> Slot | None:
    """The slot that a row counts in; None for a row that is no move of an order to READY or PICKED_UP."""
    if (
        event.plu is not None
        or event.kind != Kind.TRANSITION
        or event.from_status is None
        or event.to_status not in DONE
    ):
        return None
    into_hour = timedelta(minutes=event.at.minute, seconds=event.at.second)
    return Slot(into_hour // SLOT, event.to_status, event.actor)
