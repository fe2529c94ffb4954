"""What a screen may do to orders: bump, and take back. All through the domain, with the screen as actor."""

import zoneinfo
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from kitchen_display.configuration import configuration
from kitchen_display.models import Screen
from orders import recall as recalls
from orders import services
from orders.errors import CancellationIsFinal, ImpossibleMove, RecallExpired, Refusal, StaleVersion
from orders.models import Kitchen, Order, OrderItem, StatusChange
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, TERMINAL, Kind


class NotPossible(Exception):
    """What was asked can't be done; the text is for the cook, one short sentence."""


def bump(
    screen: Screen, order_id: str, *, plu: str | None = None, to: int = READY, version: int | None = None
) -> None:
    """Move an item on; without `plu` the ticket: of a station its own items, on expo the order.

    Raises NotPossible, also where somebody else was faster. `version` is what the page showed; it counts where an
    order is handed out: one that was recalled meanwhile must not go out by a late touch.
    """
    if to not in (PREPARING, READY, PICKED_UP) or (to == PICKED_UP and not screen.is_expo):
        raise NotPossible(_("This screen can’t do that."))
    own = _own_items(screen, order_id)
    touched: list[str | None]
    try:
        if plu is not None:
            touched = [_own(own, plu).plu]
            services.move_item(order_id, plu, to, actor=screen.actor, kitchen=screen.kitchen_id)
        elif screen.is_expo:
            touched = [None]
            services.move_order(
                order_id,
                to,
                actor=screen.actor,
                kitchen=screen.kitchen_id,
                expected={version} if version and to == PICKED_UP else None,
            )
        else:
            live = [item.plu for item in own if item.status != CANCELLED]
            touched = [*live] or [None]
            services.move_items(order_id, live, to, actor=screen.actor, kitchen=screen.kitchen_id)
    except Order.DoesNotExist:
        raise NotPossible(_("This order is not here any more.")) from None
    except (ImpossibleMove, StaleVersion) as error:
        raise NotPossible(_told(screen, order_id, None if plu is None else [plu]) or error.detail) from None
    # The same status again changes nothing; a cook whose touch did nothing wants to know who was faster.
    last = _last_row(order_id, touched)
    if last is not None and last.actor != screen.actor:
        raise NotPossible(_sentence(last, screen.kitchen))


def take_back(screen: Screen, order_id: str, *, plu: str | None = None) -> None:
    """Recall the latest change of an order, or of one item. A station takes back only what moved its own items alone.

    Raises NotPossible.
    """
    own = _own_items(screen, order_id)
    if plu is not None:
        plu = _own(own, plu).plu
    if not screen.is_expo:
        plu = _latest_of_station(order_id, [item.plu for item in own] if plu is None else [plu], screen)
    try:
        recalls.recall(order_id, plu=plu, actor=screen.actor, kitchen=screen.kitchen_id)
    except Order.DoesNotExist:
        raise NotPossible(_("This order is not here any more.")) from None
    except CancellationIsFinal:
        raise NotPossible(_told(screen, order_id, None) or _("A cancellation stays.")) from None
    except RecallExpired:
        minutes = screen.kitchen.recall_minutes
        raise NotPossible(_("Only what is up to %d minutes old can come back.") % minutes) from None
    except Refusal:
        last = _last_row(order_id, [None] if plu is None else [plu])
        raise NotPossible(
            _sentence(last, screen.kitchen) if last else _("There is nothing to take back.")
        ) from None


def _own_items(screen: Screen, order_id: str) -> list[OrderItem]:
    """The items of an order that this screen may touch. Raises NotPossible where the order isn't of its kitchen."""
    items = list(
        OrderItem.objects.filter(order_id=order_id, order__kitchen_id=screen.kitchen_id).order_by("position")
    )
    if not items:
        raise NotPossible(_("This order is not here any more."))
    found = configuration(screen.kitchen_id)
    own = [item for item in items if found.concerns(screen.station_id, item.plu)]
    if not own:
        raise NotPossible(_("This order is not of this station."))
    return own


def _own(own: Sequence[OrderItem], plu: str) -> OrderItem:
    for item in own:
        if item.plu == plu:
            return item
    raise NotPossible(_("This item is not of this station."))


def _latest_of_station(order_id: str, own: Sequence[str], screen: Screen) -> str:
    """An item of the latest standing change that moved one of these. Raises NotPossible."""
    rows = list(StatusChange.objects.filter(order_id=order_id).order_by("sequence"))
    gone = {row.recalls for row in rows if row.kind == Kind.RECALL}
    standing = [r for r in rows if r.kind == Kind.TRANSITION and r.from_status and r.change not in gone]
    numbers = [row.change for row in standing if row.plu in own]
    if not numbers:
        raise NotPossible(_("There is nothing to take back."))
    change = [row for row in standing if row.change == max(numbers)]
    foreign = any(row.plu not in own for row in change if row.plu is not None)
    if change[0].plu is None or (foreign and change[0].actor != screen.actor):
        raise NotPossible(_sentence(change[0], screen.kitchen))
    return next(row.plu for row in change if row.plu in own)  # type: ignore[return-value]


def _last_row(order_id: str, touched: Sequence[str | None]) -> StatusChange | None:
    rows = StatusChange.objects.filter(order_id=order_id)
    if None in touched:
        rows = rows.filter(plu=None)
    else:
        rows = rows.filter(plu__in=touched)
    return rows.order_by("-sequence").first()


def _told(screen: Screen, order_id: str, plus: Sequence[str] | None) -> str:
    """Who brought the order where it is, where it has ended; else the item, else the order."""
    status = Order.objects.filter(pk=order_id).values_list("status", flat=True).first()
    last = _last_row(order_id, [None] if plus is None or status in TERMINAL else plus)
    return _sentence(last, screen.kitchen) if last else ""


def _sentence(row: StatusChange, kitchen: Kitchen) -> str:
    """“Grill did this at 12:04”, in the kitchen's time."""
    facts = {"who": who(row.actor), "time": clock_time(row.at, kitchen)}
    if row.to_status == CANCELLED:
        return _("Cancelled by %(who)s at %(time)s") % facts
    if row.kind == Kind.RECALL:
        return _("%(who)s took this back at %(time)s") % facts
    return _("%(who)s did this at %(time)s") % facts


def who(actor: str) -> str:
    """`screen:Grill` → Grill."""
    return actor.partition(":")[2] or actor


def clock_time(at: datetime, kitchen: Kitchen) -> str:
    return f"{at.astimezone(zoneinfo.ZoneInfo(kitchen.time_zone)):%H:%M}"
