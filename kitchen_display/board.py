"""The read behind every wall: what is open in a kitchen, as one screen sees it.

Its cost is that of the open orders, whatever else the tables hold: at most five statements with the screen's own
(wall, orders, items, and brands with stations where none are kept), however many tickets there are. Only where new
orders have come since the last look does it write: their numbers.
"""

import hashlib
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection
from django.utils.translation import get_language

from huuva.moments import moment
from kitchen_display import counts, numbers
from kitchen_display.configuration import Configuration, configuration
from kitchen_display.models import Screen
from kitchen_display.shell import shell_version
from kitchen_display.tickets import Amended, Board, Ticket, TicketItem, flat_modifiers, urgency
from orders.hours import told_moment
from orders.statuses import CANCELLED, FIRST, PICKED_UP, READY, TERMINAL

_COLUMNS: Final = """id, version, status, brand_id, channel, channel_order_id, channel_display_id, note,
  created_at, due_at, changed_at"""
# The statuses stand in the statement itself, so that the planner sees that the index of open orders holds them.
_OPEN: Final = f"SELECT {_COLUMNS} FROM orders_order WHERE kitchen_id = %s AND status IN (1, 2, 3)"  # noqa: S608
_ALARMED: Final = f"""
UNION ALL SELECT {_COLUMNS} FROM orders_order
WHERE id = ANY(%s) AND kitchen_id = %s AND status NOT IN (1, 2, 3)"""  # noqa: S608
_ITEMS: Final = """
SELECT order_id, plu, name, quantity, status, note, modifiers, allergens FROM orders_orderitem
WHERE order_id = ANY(%s) ORDER BY order_id, position"""
_WALL: Final = """
SELECT order_id, number, NULL, NULL::jsonb FROM kitchen_display_ticketnumber WHERE kitchen_id = %s
UNION ALL
SELECT order_id, NULL, plu, NULL FROM kitchen_display_alarm WHERE kitchen_id = %s AND acknowledged_at IS NULL
UNION ALL
SELECT order_id, NULL, plu, before FROM kitchen_display_amendmentalarm
WHERE kitchen_id = %s AND acknowledged_at IS NULL
UNION ALL
SELECT mode || ' ' || busy_minutes, NULL, NULL, NULL FROM orders_kitchenpace
WHERE kitchen_id = %s AND mode <> 'online'"""
# In the order in which a ticket names them.
_AMENDED: Final = ("due_at", "quantity", "note")


class OpenOrder(NamedTuple):
    """A row of the read. Times are UTC."""

    id: str
    version: int
    status: int
    brand_id: str
    channel: str
    channel_order_id: str
    channel_display_id: str
    note: str
    created_at: datetime
    due_at: datetime
    changed_at: datetime


def display_number(channel_display_id: str, channel_order_id: str) -> str:
    """What a courier says: the channel's own number, else the last four characters of its order id."""
    return channel_display_id or channel_order_id[-4:]


def read_board(screen: Screen, now: datetime, *, numbers_new: bool = True) -> Board:
    """What `screen` shows at `now`, most urgent first. Its kitchen should be loaded.

    Without `numbers_new` nothing is written: tickets that no wall has shown yet have no number.
    """
    before = moment()
    found = configuration(screen.kitchen_id)
    taken, alarms, amended, pace = read_wall(screen.kitchen_id)
    orders = open_orders(screen.kitchen_id, alarms)
    lead = timedelta(minutes=screen.kitchen.release_minutes)
    told = alarms.keys() | amended.keys()
    # A station has nothing to make in what is ready, unless something of it was cancelled or amended.
    items = _items([o.id for o in orders if screen.is_expo or o.status < READY or o.id in told])
    # What was amended to be due much later stays until somebody has seen that.
    waiting = {
        o.id
        for o in orders
        if o.due_at - lead > now and o.id not in amended and not _begun(o, items.get(o.id, ()))
    }
    on_wall = [order.id for order in orders if order.id not in waiting]
    if numbers_new:
        taken = numbers.given(screen.kitchen_id, on_wall, taken, now)
    maker = _Maker(screen, found, alarms, amended, taken, lead, now)
    board = Board(screen, now, [], [], [], [], "", moment=before)
    for order in orders:
        lines = items.get(order.id, [])
        ticket = maker.ticket(order, lines)
        if maker.shows(ticket):
            (board.later if order.id in waiting else board.tickets).append(ticket)
    board.tickets.sort(
        key=lambda t: (t.status == READY and not (t.has_alarm or t.is_amended), t.due_at, t.order_id)
    )
    board.later.sort(key=lambda t: (t.wall_at, t.order_id))
    board.all_day = counts.all_day(board, now)
    board.owes = counts.owed_by_station(board.tickets, found, now) if screen.is_expo else []
    opening = found.opening(screen.kitchen, now)
    board.next_at = counts.next_moment(board, now, opening.until if opening else None)
    if opening and not opening.is_open:
        board.closed = True
        board.opens = told_moment(opening.until, screen.kitchen, now) if opening.until else ""
    board.pace, board.busy_minutes = pace
    board.version = _version(board, found)
    return board


type Amendments = dict[str, dict[str, dict[str, Any]]]


def read_wall(kitchen: str) -> tuple[dict[str, int], dict[str, set[str]], Amendments, tuple[str, int]]:
    """Numbers by order, the standing alarms: order → PLUs ("" is the order itself) of what was cancelled, and
    order → PLU → field → value before of what was amended; and the kitchen's pace: its mode, and by how many minutes
    it is late where it is busy."""
    pace = ("online", 0)
    taken: dict[str, int] = {}
    alarms: defaultdict[str, set[str]] = defaultdict(set)
    amended: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for order_id, number, plu, before in _rows(_WALL, [kitchen] * 4):
        if number is not None:
            taken[order_id] = number
        elif before is not None:
            amended[order_id][plu] = _json(before)
        elif plu is not None:
            alarms[order_id].add(plu)
        else:
            mode, _space, minutes = order_id.partition(" ")
            pace = (mode, int(minutes))
    return taken, dict(alarms), dict(amended), pace


def open_orders(kitchen: str, alarmed: Iterable[str] = ()) -> list[OpenOrder]:
    """The kitchen's open orders, and those of `alarmed` that have ended, most urgent first."""
    ended = list(alarmed)
    sql, parameters = _OPEN, [kitchen]
    if ended:
        sql, parameters = _OPEN + _ALARMED, [kitchen, ended, kitchen]  # type: ignore[list-item]
    return [OpenOrder(*row) for row in _rows(f"{sql} ORDER BY due_at, id", parameters)]


def _items(order_ids: list[str]) -> dict[str, list[Sequence[Any]]]:
    lines: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in _rows(_ITEMS, [order_ids]) if order_ids else ():
        lines[row[0]].append(row)
    return lines


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _begun(order: OpenOrder, lines: Iterable[Sequence[Any]]) -> bool:
    """Whether somebody has set to work on it: then it is on the wall, however late it is due."""
    return order.status != FIRST or any(line[4] not in (FIRST, CANCELLED) for line in lines)


class _Maker:
    """Makes tickets as one screen sees them."""

    def __init__(
        self,
        screen: Screen,
        found: Configuration,
        alarms: dict[str, set[str]],
        amended: Amendments,
        taken: dict[str, int],
        lead: timedelta,
        now: datetime,
    ) -> None:
        self.station, self.found, self.alarms = screen.station_id, found, alarms
        self.amended, self.taken, self.lead, self.now = amended, taken, lead, now
        self.zone = zoneinfo.ZoneInfo(screen.kitchen.time_zone)
        self.today = now.astimezone(self.zone).date()

    def ticket(self, order: OpenOrder, lines: list[Sequence[Any]]) -> Ticket:
        alarms = self.alarms.get(order.id, set())
        order_alarm = "" in alarms
        items = tuple(
            self._item(order, line, line[1] in alarms or order_alarm)
            for line in lines
            # What was cancelled and acknowledged is over.
            if line[4] != CANCELLED or line[1] in alarms or order_alarm
        )
        behind = any(item.next for item in items)
        if self.station is None:
            step = {READY: PICKED_UP, PICKED_UP: 0, CANCELLED: 0}.get(order.status, READY)
        else:
            step = READY if behind else 0
        wall_at = max(order.created_at, order.due_at - self.lead)
        return Ticket(
            order_id=order.id,
            version=order.version,
            number=self.taken.get(order.id),
            display=display_number(order.channel_display_id, order.channel_order_id),
            brand=self.found.brand(order.brand_id),
            channel=order.channel,
            status=order.status,
            created_at=order.created_at,
            due_at=order.due_at,
            wall_at=wall_at,
            note=order.note,
            items=items,
            alarm=order_alarm,
            next=step,
            urgency=urgency(order.status, wall_at, order.due_at, self.now),
            due_days=(order.due_at.astimezone(self.zone).date() - self.today).days,
            owes=tuple(counts.owed(items, self.found)) if self.station is None else (),
            amended=self._amended(order, "", due_at=order.due_at, note=order.note),
        )

    def _amended(self, order: OpenOrder, plu: str, **now: Any) -> tuple[Amended, ...]:
        """What of these values differs from what was acknowledged, or seen at first. Of what has ended nothing."""
        before = self.amended.get(order.id, {}).get(plu)
        if not before or order.status in TERMINAL:
            return ()
        found = []
        for field in _AMENDED:
            if field in before and field in now:
                old = datetime.fromisoformat(before[field]) if field == "due_at" else before[field]
                if old != now[field]:
                    found.append(
                        Amended(field, old, now[field], field == "due_at" and self._dated(old, now[field]))
                    )
        return tuple(found)

    def _dated(self, *times: datetime) -> bool:
        return any(at.astimezone(self.zone).date() != self.today for at in times)

    def _item(self, order: OpenOrder, line: Sequence[Any], alarm: bool) -> TicketItem:
        _, plu, name, quantity, status, note, modifiers, allergens = line
        makers = self.found.makers(plu)
        mine = self.station is None or not makers or self.station in makers
        can = mine and status < READY and order.status not in TERMINAL
        return TicketItem(
            plu=plu,
            quantity=quantity,
            name=name,
            modifiers=tuple(flat_modifiers(_json(modifiers))),
            note=note,
            allergens=tuple(str(allergen) for allergen in _json(allergens)),
            status=status,
            mine=mine,
            stations=tuple(label for id_, (_, label) in self.found.stations.items() if id_ in makers),
            alarm=alarm and status == CANCELLED,
            next=READY if can else 0,
            amended=self._amended(order, plu, quantity=quantity, note=note)
            if mine and status not in TERMINAL
            else (),
        )

    def shows(self, ticket: Ticket) -> bool:
        """Expo shows every order; a station those in which it has something to make or to take note of. An order that
        was amended as a whole concerns all that have something in it."""
        if self.station is None:
            return True
        if ticket.amended and any(item.status not in TERMINAL for item in ticket.mine):
            return True
        return any(item.mine and (item.alarm or item.next or item.amended) for item in ticket.items)


def _json(value: Any) -> Any:
    if value is None or value == "[]":
        return ()
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _version(board: Board, found: Configuration) -> str:
    """A digest of what is shown. The content of an order changes only with its version."""
    screen = board.screen
    shown = [
        [
            t.order_id,
            t.version,
            t.number,
            t.urgency,
            t.due_days,
            t.alarm,
            t.next,
            [item.alarm for item in t.items],
            bool(t.amended),
            [bool(item.amended) for item in t.items],
        ]
        for t in board.tickets
    ]
    later = [[t.order_id, t.version, t.due_days] for t in board.later]
    all_day = [[row.name, row.late, row.soon, row.later] for row in board.all_day]
    settings = [
        screen.pk, screen.name, screen.station_id, screen.kind, screen.text_scale, screen.columns, screen.sound_new,
        screen.sound_cancelled, screen.sound_late, str(screen.awake_from), str(screen.awake_to),
        screen.kitchen.name, screen.kitchen.release_minutes, get_language(), shell_version(),
        board.pace, board.busy_minutes, board.closed, board.opens,
    ]  # fmt: skip
    data = orjson.dumps([shown, later, all_day, settings, found.digest])
    return hashlib.blake2b(data, digest_size=9).hexdigest()
