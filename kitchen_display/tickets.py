"""What a screen shows, as plain data: the templates read these names and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED

if TYPE_CHECKING:
    from kitchen_display.models import Screen

# Due soon (amber) when this part of an order's time on the wall has passed; late (red) when it is due.
AMBER_AT = 0.75
# All-day counts tell apart what is due within this time.
NEXT_MINUTES = timedelta(minutes=10)
DEFAULT_COLOUR = "#5b6770"
# The amended fields that a wall shows, in the order in which a ticket names them.
AMENDED = ("due_at", "quantity", "note")
STATES = {
    RECEIVED: "received",
    PREPARING: "preparing",
    READY: "ready",
    PICKED_UP: "picked-up",
    CANCELLED: "cancelled",
}


def milliseconds(at: datetime) -> int:
    """Since 1970, as JavaScript counts time."""
    return int(at.timestamp() * 1000)


def amber_at(wall_at: datetime, due_at: datetime) -> datetime:
    return wall_at + (due_at - wall_at) * AMBER_AT


def urgency(status: int, wall_at: datetime, due_at: datetime, now: datetime) -> str:
    """calm, soon or late. What is ready or has ended is calm."""
    if status >= READY or now < amber_at(wall_at, due_at):
        return "calm"
    return "soon" if now < due_at else "late"


@dataclass(frozen=True, slots=True)
class BrandMark:
    """A brand as tickets show it. One that nobody has named: its id, in grey."""

    name: str
    colour: str = DEFAULT_COLOUR


@dataclass(frozen=True, slots=True)
class Modifier:
    """`depth` 0 belongs to the item itself, 1 to the modifier above it, and so on. The quantity 0 leaves it out."""

    depth: int
    quantity: int
    name: str


@dataclass(frozen=True, slots=True)
class Amended:
    """What somebody changed and nobody has acknowledged: `field` is quantity, note or due_at; times are UTC.

    `dated`: the two times lie on different days, or not today, so the page names the days.
    """

    field: str
    before: Any
    after: Any
    dated: bool = False


@dataclass(frozen=True, slots=True)
class TicketItem:
    """`alarm`: cancelled, and nobody has acknowledged it; `own_alarm`: by itself, not with its order.

    `next`: where a touch moves it; 0: a touch does nothing. `amended`: only on its own station, and expo.
    """

    plu: str
    quantity: int
    name: str
    modifiers: tuple[Modifier, ...]
    note: str
    allergens: tuple[str, ...]
    status: int
    mine: bool
    alarm: bool
    own_alarm: bool
    next: int
    amended: tuple[Amended, ...] = ()

    @property
    def to_acknowledge(self) -> bool:
        """Whether a touch acknowledges something."""
        return self.own_alarm or bool(self.amended)

    @property
    def is_touchable(self) -> bool:
        return self.to_acknowledge or bool(self.next)

    @property
    def state(self) -> str:
        """received, preparing, ready, picked-up, cancelled."""
        return STATES[self.status]

    @property
    def is_done(self) -> bool:
        return self.status in (READY, PICKED_UP)


@dataclass(frozen=True, slots=True)
class Owed:
    """What a station has still to make: pieces (sum of quantities), and how many of them are late."""

    slug: str
    name: str
    pieces: int
    late: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as one screen shows it.

    `number` is what a cook presses (None: all 999 are in use); `version` the order's. `wall_at` is when it came to the
    wall, or will (the rail). `alarm`: the order was cancelled and nobody has acknowledged it.
    `next`: where the footer moves it (a station: its own items; expo: the order); 0: it does nothing.
    `urgency`: calm, soon or late at the time of the read; the page's own clock carries it on. `due_days`: how many
    days from today it is due, by the kitchen's calendar; but for 0 the page names the day.
    """

    order_id: str
    version: int
    number: int | None
    display: str
    brand: BrandMark
    channel: str
    status: int
    due_at: datetime
    wall_at: datetime
    note: str
    items: tuple[TicketItem, ...]
    alarm: bool
    next: int
    urgency: str = "calm"
    due_days: int = 0
    owes: tuple[Owed, ...] = ()
    amended: tuple[Amended, ...] = ()

    @property
    def state(self) -> str:
        return STATES[self.status]

    @property
    def start_status(self) -> int:
        """Where *Start now* moves an order that waits in the rail."""
        return PREPARING

    @property
    def is_settled(self) -> bool:
        """Ready, handed out or cancelled: its timer stands still."""
        return self.status >= READY

    @property
    def mine(self) -> list[TicketItem]:
        """The items of this screen's station, or all on expo."""
        return [item for item in self.items if item.mine]

    @property
    def others(self) -> int:
        """How many items other stations make."""
        return sum(not item.mine for item in self.items)

    @property
    def has_alarm(self) -> bool:
        return self.alarm or any(item.alarm for item in self.items if item.mine)

    @property
    def is_amended(self) -> bool:
        return bool(self.amended) or any(item.amended for item in self.items)

    @property
    def amber_at(self) -> datetime:
        return amber_at(self.wall_at, self.due_at)

    @property
    def due_ms(self) -> int:
        return milliseconds(self.due_at)

    @property
    def amber_ms(self) -> int:
        return milliseconds(self.amber_at)

    @property
    def wall_ms(self) -> int:
        return milliseconds(self.wall_at)


@dataclass(slots=True)
class AllDayRow:
    """How many of a dish are still to make: due already, in the next 10 minutes, later (the rail included).

    `plu` is one of its PLUs.
    """

    plu: str
    name: str
    late: int = 0
    soon: int = 0
    later: int = 0

    @property
    def total(self) -> int:
        return self.late + self.soon + self.later


@dataclass(slots=True)
class Board:
    """Everything that a screen shows at one time. `version` changes with whatever is shown, and with nothing else.

    `next_at`: when the board changes by time alone (an order is released, becomes late, …). `stamp`: core.monotonic's,
    taken before the read.
    """

    screen: "Screen"
    server_now: datetime
    tickets: list[Ticket]
    later: list[Ticket]
    all_day: list[AllDayRow]
    owes: list[Owed]
    version: str
    next_at: datetime | None = None
    stamp: str = ""
    # The page reloads when it changes.
    page_version: str = ""
    # What channels are told of the kitchen: online, busy or paused.
    pace: str = "online"
    busy_minutes: int = 0
    # By its opening hours; `opens`: when it opens, as people say it, empty where nobody knows.
    closed: bool = False
    opens: str = ""

    @property
    def server_ms(self) -> int:
        return milliseconds(self.server_now)

    @property
    def next_ms(self) -> int | None:
        return None if self.next_at is None else milliseconds(self.next_at)

    @property
    def late_count(self) -> int:
        return sum(ticket.urgency == "late" for ticket in self.tickets)


@dataclass(frozen=True, slots=True)
class Recallable:
    """An entry of the recall list. `plu`: the first item that moved; empty where the order was bumped as a whole."""

    order_id: str
    number: int | None
    display: str
    brand: BrandMark
    plu: str
    items: tuple[str, ...]  # “2 × Salmon”
    to_status: int
    actor: str
    at: datetime

    @property
    def state(self) -> str:
        return STATES[self.to_status]


def flat_modifiers(tree: Any, depth: int = 0) -> list[Modifier]:
    """The tree of modifiers as a list with depths, in order."""
    modifiers: list[Modifier] = []
    for node in tree or ():
        modifiers.append(Modifier(depth, node.get("quantity", 1), str(node.get("name", ""))))
        modifiers += flat_modifiers(node.get("modifiers"), depth + 1)
    return modifiers
