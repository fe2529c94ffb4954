"""What screens show in the end, compared with the database: the wall, and the pickup board for couriers."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from django.db import connection

from tests.chaos.stored import Check, Stored
from tests.chaos.watchers import Wall
from tests.model.kitchen_model import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED


def _read[P: HTMLParser](screen: Wall, parser: P, check: Check) -> P | None:
    """The parser when it has read what the screen shows now; None, and a complaint, where it gets nothing."""
    text = screen.board()
    if text is None:
        check.wrong.append("the screen gets no board")
        return None
    parser.feed(text)
    return parser


class _Tickets(HTMLParser):
    """Order, state and version of each ticket, and the orders in the rail for later."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, dict[str, str]] = {}
        self.later: set[str] = set()
        self._at = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "article" and "data-order" in values:
            self._at = values["data-order"]
            self.tickets[self._at] = {"state": values["data-state"]}
        elif "later__one" in values.get("class", ""):
            self.later.add(values["data-order"])
        elif tag == "input" and values.get("name") == "version" and self._at:
            self.tickets[self._at].setdefault("version", values["value"])


_STATES = {
    RECEIVED: "received",
    PREPARING: "preparing",
    READY: "ready",
    PICKED_UP: "picked-up",
    CANCELLED: "cancelled",
}


def board(orders: list[Stored], wall: Wall) -> Check:
    check = Check("orders on the wall, which are the open ones with their state and version")
    shown = _read(wall, _Tickets(), check)
    if shown is None:
        return check
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT order_id FROM kitchen_display_alarm WHERE acknowledged_at IS NULL")
        alarmed = {row[0] for row in cursor.fetchall()}
    for order in orders:
        expected = order.status in (RECEIVED, PREPARING, READY) or order.id in alarmed
        ticket = shown.tickets.get(order.id)
        if ticket is None:
            check.expect(expected == (order.id in shown.later), f"{order.id} ({order.status}) is not shown")
        else:
            shown_as = (ticket["state"], ticket.get("version"))
            check.expect(expected, f"{order.id} ({order.status}) is shown")
            check.expect(
                shown_as == (_STATES[order.status], str(order.version)), f"{order.id} is shown as {shown_as}"
            )
    check.counted = len(shown.tickets) + len(shown.later)
    return check


class _Numbers(HTMLParser):
    """The numbers of the pickup board, those in preparation and those that are ready."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, list[str]] = {"preparing": [], "ready": []}
        self._half = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "section":
            self._half = values["aria-labelledby"].removesuffix("-title")
        elif "data-number" in values:
            self.shown[self._half].append(values["data-number"])


def pickup_board(orders: list[Stored], board: Wall) -> Check:
    check = Check("open orders held against the numbers on the pickup board")
    parser = _read(board, _Numbers(), check)
    if parser is None:
        return check
    shown = {half: Counter(numbers) for half, numbers in parser.shown.items()}
    begun = Counter(order.display for order in orders if order.status == PREPARING)
    # Of those that nobody has begun the ones for later are not shown yet.
    waiting = Counter(order.display for order in orders if order.status == RECEIVED)
    ready = Counter(order.display for order in orders if order.status == READY)
    check.expect(shown["ready"] == ready, f"ready are {ready - shown['ready']}, not {shown['ready'] - ready}")
    missing = begun - shown["preparing"]
    check.expect(not missing, f"in preparation and not shown: {missing}")
    others = shown["preparing"] - begun - waiting
    check.expect(not others, f"shown as in preparation: {others}")
    check.counted = begun.total() + waiting.total() + ready.total()
    return check
