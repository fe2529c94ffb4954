"""Ticket numbers: the lowest free one, kept while the order is on the wall (see models.TicketNumber)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, connection, transaction

from kitchen_display.models import TicketNumber
from kitchen_display.models.wall import LAST_NUMBER

log = structlog.get_logger(__name__)

# How long a number stays unused after its ticket has left: longer than anybody takes from reading a number to pressing
# it, and than an undo.
REST: Final = timedelta(seconds=60)


def assign_numbers(
    kitchen: str, on_wall: Sequence[str], numbers: dict[str, int], now: datetime
) -> dict[str, int]:
    """The numbers of a kitchen's orders, with one for each order that has come to the wall since `numbers` were read.

    `on_wall`: all orders on the kitchen's wall, most urgent first, also those that the asking screen doesn't show.
    Writes only where an order has no number yet.
    """
    if all(order_id in numbers for order_id in on_wall):
        return numbers
    try:
        with transaction.atomic():
            # One process at a time in a kitchen; the others then see what it assigned.
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"ticket numbers {kitchen}"]
                )
            return _assign(kitchen, on_wall, now)
    except DatabaseError as error:
        # Busy, or read-only while a standby takes over: a ticket without a number is better than no wall.
        log.warning("ticket_numbers_not_given", kitchen=kitchen, error=type(error).__name__)
        return numbers


def _assign(kitchen: str, on_wall: Sequence[str], now: datetime) -> dict[str, int]:
    rows = list(TicketNumber.objects.filter(kitchen_id=kitchen))
    present = set(on_wall)
    returned = [row.order_id for row in rows if row.order_id in present and row.left_at is not None]
    left = [row.order_id for row in rows if row.order_id not in present and row.left_at is None]
    rested = {
        row.order_id
        for row in rows
        if row.order_id not in present and row.left_at is not None and now - row.left_at >= REST
    }
    if returned:
        TicketNumber.objects.filter(order_id__in=returned).update(left_at=None)
    if left:
        TicketNumber.objects.filter(order_id__in=left).update(left_at=now)
    if rested:
        TicketNumber.objects.filter(order_id__in=rested).delete()
    numbers = {row.order_id: row.number for row in rows if row.order_id not in rested}
    used = set(numbers.values())
    free = (number for number in range(1, LAST_NUMBER + 1) if number not in used)
    # An order that finds no free number has none: zip ends with the shorter one.
    new = dict(zip((order_id for order_id in on_wall if order_id not in numbers), free, strict=False))
    TicketNumber.objects.bulk_create(
        [
            TicketNumber(kitchen_id=kitchen, number=number, order_id=order_id)
            for order_id, number in new.items()
        ]
    )
    return numbers | new
