"""What is still to make, counted from the tickets that a board shows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from kitchen_display.configuration import Configuration
from kitchen_display.tickets import NEXT_MINUTES, AllDayRow, Board, Owed, Ticket, TicketItem
from orders.statuses import READY


def all_day(board: Board, now: datetime) -> list[AllDayRow]:
    """Counted from the very tickets that the board shows, so that the two can't disagree."""
    # By name: the same dish of two brands has two PLUs and is cooked as one.
    rows: dict[str, AllDayRow] = {}
    for ticket in (*board.tickets, *board.later):
        for item in ticket.items:
            if not item.next:
                continue
            row = rows.setdefault(item.name, AllDayRow(item.plu, item.name))
            if ticket.due_at <= now:
                row.late += item.quantity
            elif ticket.due_at <= now + NEXT_MINUTES:
                row.soon += item.quantity
            else:
                row.later += item.quantity
    return sorted(rows.values(), key=lambda row: (-row.total, row.name, row.plu))


def owed(items: Iterable[TicketItem], found: Configuration) -> list[Owed]:
    """By station, in their order; what nobody claims is owed by none of them."""
    pieces: defaultdict[int, int] = defaultdict(int)
    for item in items:
        if item.next:
            for station in found.makers(item.plu):
                pieces[station] += item.quantity
    return [
        Owed(slug, name, pieces[id_])
        for id_, (slug, name) in found.stations.items()
        if pieces[id_]
    ]


def owed_by_station(tickets: list[Ticket], found: Configuration, now: datetime) -> list[Owed]:
    """What each station owes over all tickets, also where that is nothing."""
    pieces: defaultdict[str, int] = defaultdict(int)
    late: defaultdict[str, int] = defaultdict(int)
    for ticket in tickets:
        for part in ticket.owes:
            pieces[part.slug] += part.pieces
            late[part.slug] += part.pieces if ticket.due_at <= now else 0
    return [Owed(slug, name, pieces[slug], late[slug]) for slug, name in found.stations.values()]


def next_moment(board: Board, now: datetime, hours_end: datetime | None = None) -> datetime | None:
    """When time alone changes what the board shows: a release, a ticket that is late, a count that moves on, or that
    the kitchen opens or closes.

    Not amber: no count goes by it, and the page colours its tickets itself.
    """
    moments = [ticket.wall_at for ticket in board.later]
    if hours_end is not None:
        moments.append(hours_end)
    for ticket in (*board.tickets, *board.later):
        if ticket.status < READY:
            moments += [ticket.due_at, ticket.due_at - NEXT_MINUTES]
    return min((moment for moment in moments if moment > now), default=None)
