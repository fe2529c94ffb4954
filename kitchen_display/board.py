"""The board of every wall: what is open in a kitchen, as one screen sees it.

At most five statements with the screen's own (wall, orders, items, and brands with stations where they aren't cached),
however many tickets there are. It writes only where new orders have come since the last look: their numbers.
"""

from datetime import datetime

from core.monotonic import stamp
from kitchen_display import counts
from kitchen_display.configuration import KitchenConfig, kitchen_config
from kitchen_display.models import Screen
from kitchen_display.numbers import assign_numbers
from kitchen_display.page_version import digest, page_version
from kitchen_display.reads import board_items, open_orders, read_wall
from kitchen_display.ticket_builder import TicketBuilder
from kitchen_display.tickets import Board, Ticket
from kitchen_display.wall import is_on_wall
from orders.hours import describe_time
from orders.statuses import READY


def read_board(screen: Screen, now: datetime, *, assign: bool = True) -> Board:
    """What `screen` shows at `now`, most urgent first. Its kitchen should be loaded.

    Without `assign` nothing is written: tickets that no wall has shown yet have no number.
    """
    board = Board(screen, now, [], [], [], [], "", stamp=stamp())  # before the read
    kitchen, config = screen.kitchen, kitchen_config(screen.kitchen_id)
    wall = read_wall(screen.kitchen_id)
    orders = open_orders(screen.kitchen_id, wall.cancelled)
    # A station has nothing to make in what is ready, unless something of it was cancelled or amended.
    alarmed = wall.cancelled.keys() | wall.amended.keys()
    items = board_items([o.id for o in orders if screen.is_expo or o.status < READY or o.id in alarmed])
    on_wall = {
        order.id: is_on_wall(
            kitchen,
            now,
            due_at=order.due_at,
            status=order.status,
            item_statuses=(item.status for item in items.get(order.id, ())),
            changes=wall.amended.get(order.id, ()),
        )
        for order in orders
    }
    numbers = wall.numbers
    if assign:
        shown = [order_id for order_id, is_on in on_wall.items() if is_on]
        numbers = assign_numbers(screen.kitchen_id, shown, numbers, now)
    builder = TicketBuilder(screen, config, wall, numbers, now)
    for order in orders:
        ticket = builder.build(order, items.get(order.id, ()))
        if builder.shows(ticket):
            (board.tickets if on_wall[order.id] else board.later).append(ticket)
    board.tickets.sort(key=_urgency_key)
    board.later.sort(key=lambda t: (t.wall_at, t.order_id))
    board.all_day = counts.all_day(board, now)
    board.owes = counts.owed_by_station(board.tickets, config, now) if screen.is_expo else []
    opening = config.opening(kitchen, now)
    board.next_at = counts.next_change(board, now, opening.until if opening else None)
    if opening and not opening.is_open:
        board.closed = True
        board.opens = describe_time(opening.until, kitchen, now) if opening.until else ""
    board.pace, board.busy_minutes = wall.pace, wall.busy_minutes
    board.page_version = page_version(screen, board.pace, board.busy_minutes)
    board.version = _version(board, config)
    return board


def _urgency_key(ticket: Ticket) -> tuple[bool, datetime, str]:
    """The wall's order: by due time; what is ready comes last, unless it has something to acknowledge."""
    is_done = ticket.status == READY and not (ticket.has_alarm or ticket.is_amended)
    return is_done, ticket.due_at, ticket.order_id


def _version(board: Board, config: KitchenConfig) -> str:
    """A digest of what is shown. The content of an order changes only with its version."""
    screen = board.screen
    tickets = [
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
        board.closed, board.opens, config.digest,
    ]  # fmt: skip
    return digest([tickets, later, all_day, around])
