"""What is still to make, counted from the tickets that a board shows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from kitchen_display.configuration import KitchenConfig
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


def owed(items: Iterable[TicketItem], config: KitchenConfig) -> list[Owed]:
    """By station, in their order; an item that no rule claims is owed by none of them."""
    pieces: defaultdict[int, int] = defaultdict(int)
    for item in items:
        if item.next:
            for station in config.stations_of(item.plu):
                pieces[station] += item.quantity
    return [Owed(slug, name, pieces[id_]) for id_, (slug, name) in config.stations.items() if pieces[id_]]


def owed_by_station(tickets: list[Ticket], config: KitchenConfig, now: datetime) -> list[Owed]:
    """What each station owes over all tickets, also where that is nothing."""
    pieces: defaultdict[str, int] = defaultdict(int)
    late: defaultdict[str, int] = defaultdict(int)
    for ticket in tickets:
        for station in ticket.owes:
            pieces[station.slug] += station.pieces
            late[station.slug] += station.pieces if ticket.due_at <= now else 0
    return [Owed(slug, name, pieces[slug], late[slug]) for slug, name in config.stations.values()]


def next_change(board: Board, now: datetime, hours_end: datetime | None = None) -> datetime | None:
    """When time alone changes what the board shows: a release, a ticket that is late, a count that moves on, or that
    the kitchen opens or closes.

    Not amber: no count goes by it, and the page colours its tickets itself.
    """
    times = [ticket.wall_at for ticket in board.later]
    if hours_end is not None:
        times.append(hours_end)
    for ticket in (*board.tickets, *board.later):
        if ticket.status < READY:
            times += [ticket.due_at, ticket.due_at - NEXT_MINUTES]
    return min((at for at in times if at > now), default=None)
