"""Builds tickets: orders with their items, as one screen sees them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kitchen_display import counts
from kitchen_display.configuration import KitchenConfig
from kitchen_display.models import Screen
from kitchen_display.reads import BoardItem, OpenOrder, WallState, from_json
from kitchen_display.tickets import AMENDED, Amended, Ticket, TicketItem, flat_modifiers, urgency
from kitchen_display.wall import release_time, standing_changes
from orders.statuses import CANCELLED, PICKED_UP, READY, TERMINAL


class TicketBuilder:
    """For one screen at one time. `numbers`: ticket numbers, by order."""

    def __init__(
        self,
        screen: Screen,
        config: KitchenConfig,
        wall: WallState,
        numbers: Mapping[str, int],
        now: datetime,
    ) -> None:
        self.station, self.kitchen, self.config = screen.station_id, screen.kitchen, config
        self.wall, self.numbers, self.now = wall, numbers, now
        self.zone = screen.kitchen.zone
        self.today = now.astimezone(self.zone).date()

    def build(self, order: OpenOrder, rows: Iterable[BoardItem]) -> Ticket:
        alarms = self.wall.cancelled.get(order.id, set())
        order_alarm = "" in alarms
        items = tuple(
            self._item(order, row, order_alarm=order_alarm)
            for row in rows
            # What was cancelled and acknowledged is over.
            if row.status != CANCELLED or row.plu in alarms or order_alarm
        )
        if self.station is None:
            next_status = {READY: PICKED_UP, PICKED_UP: 0, CANCELLED: 0}.get(order.status, READY)
        else:
            next_status = READY if any(item.next for item in items) else 0
        wall_at = max(order.created_at, release_time(order.due_at, self.kitchen))
        return Ticket(
            order_id=order.id,
            version=order.version,
            number=self.numbers.get(order.id),
            display=order.display,
            brand=self.config.brand(order.brand_id),
            channel=order.channel,
            status=order.status,
            due_at=order.due_at,
            wall_at=wall_at,
            note=order.note,
            items=items,
            alarm=order_alarm,
            next=next_status,
            urgency=urgency(order.status, wall_at, order.due_at, self.now),
            due_days=(order.due_at.astimezone(self.zone).date() - self.today).days,
            owes=tuple(counts.owed(items, self.config)) if self.station is None else (),
            amended=self._amended(order, "", due_at=order.due_at, note=order.note),
        )

    def _item(self, order: OpenOrder, row: BoardItem, *, order_alarm: bool) -> TicketItem:
        mine = self.config.makes(self.station, row.plu)
        can_bump = mine and row.status < READY and order.status not in TERMINAL
        amended: tuple[Amended, ...] = ()
        if mine and row.status not in TERMINAL:
            amended = self._amended(order, row.plu, quantity=row.quantity, note=row.note)
        return TicketItem(
            plu=row.plu,
            quantity=row.quantity,
            name=row.name,
            modifiers=tuple(flat_modifiers(from_json(row.modifiers))),
            note=row.note,
            allergens=tuple(str(allergen) for allergen in from_json(row.allergens)),
            status=row.status,
            mine=mine,
            alarm=row.status == CANCELLED,
            own_alarm=row.status == CANCELLED and not order_alarm,
            next=READY if can_bump else 0,
            amended=amended,
        )

    def _amended(self, order: OpenOrder, plu: str, **current: Any) -> tuple[Amended, ...]:
        """The standing changes of an order ("") or item; none of an order that has ended."""
        before = self.wall.amended.get(order.id, {}).get(plu)
        if not before or order.status in TERMINAL:
            return ()
        changes = standing_changes(before, current)
        return tuple(
            Amended(
                field,
                changes[field],
                current[field],
                dated=field == "due_at" and self._dated(changes[field], current[field]),
            )
            for field in AMENDED
            if field in changes
        )

    def _dated(self, *times: datetime) -> bool:
        return any(at.astimezone(self.zone).date() != self.today for at in times)

    def shows(self, ticket: Ticket) -> bool:
        """Expo shows every order; a station those with something to make or to acknowledge. An order that was amended
        as a whole concerns every station that has an item of it."""
        if self.station is None:
            return True
        if ticket.amended and any(item.status not in TERMINAL for item in ticket.mine):
            return True
        return any(item.mine and (item.alarm or item.next or item.amended) for item in ticket.items)
