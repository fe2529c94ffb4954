"""Composes tickets: orders with their items, as one screen sees them."""

import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kitchen_display import counts
from kitchen_display.configuration import Configuration
from kitchen_display.models import Screen
from kitchen_display.reads import Line, OpenOrder, Wall, from_json
from kitchen_display.tickets import AMENDED, Amended, Ticket, TicketItem, flat_modifiers, urgency
from orders.statuses import CANCELLED, PICKED_UP, READY, TERMINAL


class Composer:
    """For one screen at one moment. `numbers`: those of tickets, by order."""

    def __init__(
        self, screen: Screen, found: Configuration, wall: Wall, numbers: Mapping[str, int], now: datetime
    ) -> None:
        self.station, self.found = screen.station_id, found
        self.wall, self.numbers, self.now = wall, numbers, now
        self.lead = timedelta(minutes=screen.kitchen.release_minutes)
        self.zone = zoneinfo.ZoneInfo(screen.kitchen.time_zone)
        self.today = now.astimezone(self.zone).date()

    def ticket(self, order: OpenOrder, lines: Iterable[Line]) -> Ticket:
        alarms = self.wall.cancelled.get(order.id, set())
        order_alarm = "" in alarms
        items = tuple(
            self._item(order, line, line.plu in alarms or order_alarm)
            for line in lines
            # What was cancelled and acknowledged is over.
            if line.status != CANCELLED or line.plu in alarms or order_alarm
        )
        if self.station is None:
            step = {READY: PICKED_UP, PICKED_UP: 0, CANCELLED: 0}.get(order.status, READY)
        else:
            step = READY if any(item.next for item in items) else 0
        wall_at = max(order.created_at, order.due_at - self.lead)
        return Ticket(
            order_id=order.id,
            version=order.version,
            number=self.numbers.get(order.id),
            display=order.display,
            brand=self.found.brand(order.brand_id),
            channel=order.channel,
            status=order.status,
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

    def _item(self, order: OpenOrder, line: Line, alarm: bool) -> TicketItem:
        mine = self.found.concerns(self.station, line.plu)
        can = mine and line.status < READY and order.status not in TERMINAL
        amended: tuple[Amended, ...] = ()
        if mine and line.status not in TERMINAL:
            amended = self._amended(order, line.plu, quantity=line.quantity, note=line.note)
        return TicketItem(
            plu=line.plu,
            quantity=line.quantity,
            name=line.name,
            modifiers=tuple(flat_modifiers(from_json(line.modifiers))),
            note=line.note,
            allergens=tuple(str(allergen) for allergen in from_json(line.allergens)),
            status=line.status,
            mine=mine,
            alarm=alarm and line.status == CANCELLED,
            next=READY if can else 0,
            amended=amended,
        )

    def _amended(self, order: OpenOrder, plu: str, **now: Any) -> tuple[Amended, ...]:
        """What of these values differs from what was acknowledged, or seen at first. Of what has ended nothing."""
        before = self.wall.amended.get(order.id, {}).get(plu)
        if not before or order.status in TERMINAL:
            return ()
        found = []
        for field in AMENDED:
            if field in before and field in now:
                old = datetime.fromisoformat(before[field]) if field == "due_at" else before[field]
                if old != now[field]:
                    found.append(
                        Amended(field, old, now[field], field == "due_at" and self._dated(old, now[field]))
                    )
        return tuple(found)

    def _dated(self, *times: datetime) -> bool:
        return any(at.astimezone(self.zone).date() != self.today for at in times)

    def shows(self, ticket: Ticket) -> bool:
        """Expo shows every order; a station those in which it has something to make or to take note of. An order that
        was amended as a whole concerns all that have something in it."""
        if self.station is None:
            return True
        if ticket.amended and any(item.status not in TERMINAL for item in ticket.mine):
            return True
        return any(item.mine and (item.alarm or item.next or item.amended) for item in ticket.items)
