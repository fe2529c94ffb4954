"""The board of every wall: what is open in a kitchen, as one screen sees it.

At most five statements with the screen's own (wall, orders, items, and brands with stations where none are kept),
however many tickets there are. Only where new orders have come since the last look does it write: their numbers.
"""

from datetime import datetime, timedelta

from core.monotonic import stamp
from kitchen_display import counts, numbers
from kitchen_display.composing import Composer
from kitchen_display.configuration import Configuration, configuration
from kitchen_display.models import Screen
from kitchen_display.page_version import digest, page_version
from kitchen_display.reads import lines_of, open_orders, read_wall
from kitchen_display.tickets import Board
from orders.hours import describe_time
from orders.statuses import READY


def read_board(screen: Screen, now: datetime, *, numbers_new: bool = True) -> Board:
    """What `screen` shows at `now`, most urgent first. Its kitchen should be loaded.

    Without `numbers_new` nothing is written: tickets that no wall has shown yet have no number.
    """
    before = stamp()
    found = configuration(screen.kitchen_id)
    wall = read_wall(screen.kitchen_id)
    orders = open_orders(screen.kitchen_id, wall.cancelled)
    lead = timedelta(minutes=screen.kitchen.release_minutes)
    told = wall.cancelled.keys() | wall.amended.keys()
    # A station has nothing to make in what is ready, unless something of it was cancelled or amended.
    lines = lines_of([o.id for o in orders if screen.is_expo or o.status < READY or o.id in told])
    # What was amended to be due much later stays until somebody has seen that.
    waiting = {
        o.id
        for o in orders
        if o.due_at - lead > now and o.id not in wall.amended and not o.begun(lines.get(o.id, ()))
    }
    taken = wall.numbers
    if numbers_new:
        on_wall = [order.id for order in orders if order.id not in waiting]
        taken = numbers.given(screen.kitchen_id, on_wall, taken, now)
    composer = Composer(screen, found, wall, taken, now)
    board = Board(screen, now, [], [], [], [], "", moment=before)
    for order in orders:
        ticket = composer.ticket(order, lines.get(order.id, ()))
        if composer.shows(ticket):
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
        board.opens = describe_time(opening.until, screen.kitchen, now) if opening.until else ""
    board.pace, board.busy_minutes = wall.pace, wall.busy_minutes
    board.page_version = page_version(screen, board.pace, board.busy_minutes)
    board.version = _version(board, found)
    return board


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
    around = [
        board.page_version, screen.pk, screen.name, screen.kitchen.name, screen.kitchen.release_minutes,
        board.closed, board.opens, found.digest,
    ]  # fmt: skip
    return digest([shown, later, all_day, around])
