"""What a screen may do to orders: bump and take back, through the domain's services with the screen as actor."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from kitchen_display.configuration import kitchen_config
from kitchen_display.models import Screen
from orders import recall as recalls
from orders import services
from orders.errors import CancellationIsFinal, ImpossibleMove, RecallExpired, Refusal, StaleVersion
from orders.models import Kitchen, Order, OrderItem, StatusChange
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, TERMINAL, Kind


class NotPossible(Exception):
    """A touch that can't be done. The text is one short sentence for the cook."""


def bump(
    screen: Screen, order_id: str, *, plu: str | None = None, to: int = READY, version: int | None = None
) -> None:
    """Move an item on; without `plu` the ticket: of a station its own items, on expo the order.

    Raises NotPossible, also where somebody else was faster. `version` is what the page showed. It is checked where an
    order is handed out: one that was recalled meanwhile must not go out by a late touch.
    """
    if to not in (PREPARING, READY, PICKED_UP) or (to == PICKED_UP and not screen.is_expo):
        raise NotPossible(_("This screen can’t do that."))
    own = _own_items(screen, order_id)
    moved: list[str | None]
    try:
        if plu is not None:
            moved = [_own_item(own, plu).plu]
            services.move_item(order_id, plu, to, actor=screen.actor, kitchen=screen.kitchen_id)
        elif screen.is_expo:
            moved = [None]
            services.move_order(
                order_id,
                to,
                actor=screen.actor,
                kitchen=screen.kitchen_id,
                expected={version} if version and to == PICKED_UP else None,
            )
        else:
            live = [item.plu for item in own if item.status != CANCELLED]
            moved = [*live] or [None]
            services.move_items(order_id, live, to, actor=screen.actor, kitchen=screen.kitchen_id)
    except Order.DoesNotExist:
        raise NotPossible(_("This order is not here any more.")) from None
    except (ImpossibleMove, StaleVersion) as error:
        raise NotPossible(
            _describe_last(screen, order_id, None if plu is None else [plu]) or error.detail
        ) from None
    # The same status again changes nothing. A cook whose touch did nothing wants to know who was faster.
    last = _last_entry(order_id, moved)
    if last is not None and last.actor != screen.actor:
        raise NotPossible(_describe(last, screen.kitchen))


def take_back(screen: Screen, order_id: str, *, plu: str | None = None) -> None:
    """Recall the latest change of an order, or of one item. A station takes back only what moved its own items alone.

    Raises NotPossible.
    """
    own = _own_items(screen, order_id)
    if plu is not None:
        plu = _own_item(own, plu).plu
    if not screen.is_expo:
        plu = _latest_of_station(order_id, [item.plu for item in own] if plu is None else [plu], screen)
    try:
        recalls.recall(order_id, plu=plu, actor=screen.actor, kitchen=screen.kitchen_id)
    except Order.DoesNotExist:
        raise NotPossible(_("This order is not here any more.")) from None
    except CancellationIsFinal:
        raise NotPossible(
            _describe_last(screen, order_id, None) or _("A cancellation can’t be taken back.")
        ) from None
    except RecallExpired:
        minutes = screen.kitchen.recall_minutes
        raise NotPossible(_("Only what is up to %d minutes old can come back.") % minutes) from None
    except Refusal:
        last = _last_entry(order_id, [None] if plu is None else [plu])
        raise NotPossible(
            _describe(last, screen.kitchen) if last else _("There is nothing to take back.")
        ) from None


def _own_items(screen: Screen, order_id: str) -> list[OrderItem]:
    """The items of an order that this screen may touch. Raises NotPossible where the order isn't of its kitchen."""
    items = list(
        OrderItem.objects.filter(order_id=order_id, order__kitchen_id=screen.kitchen_id).order_by("position")
    )
    if not items:
        raise NotPossible(_("This order is not here any more."))
    config = kitchen_config(screen.kitchen_id)
    own = [item for item in items if config.makes(screen.station_id, item.plu)]
    if not own:
        raise NotPossible(_("This order is not of this station."))
    return own


def _own_item(own: Sequence[OrderItem], plu: str) -> OrderItem:
    for item in own:
        if item.plu == plu:
            return item
    raise NotPossible(_("This item is not of this station."))


def _latest_of_station(order_id: str, own: Sequence[str], screen: Screen) -> str:
    """An item of the latest change that moved one of these and was not recalled. Raises NotPossible."""
    entries = list(StatusChange.objects.filter(order_id=order_id).order_by("sequence"))
    recalled = {entry.recalls for entry in entries if entry.kind == Kind.RECALL}
    valid = [e for e in entries if e.kind == Kind.TRANSITION and e.from_status and e.change not in recalled]
    numbers = [entry.change for entry in valid if entry.plu in own]
    if not numbers:
        raise NotPossible(_("There is nothing to take back."))
    change = [entry for entry in valid if entry.change == max(numbers)]
    has_others = any(entry.plu not in own for entry in change if entry.plu is not None)
    if change[0].plu is None or (has_others and change[0].actor != screen.actor):
        raise NotPossible(_describe(change[0], screen.kitchen))
    return next(entry.plu for entry in change if entry.plu in own)  # type: ignore[return-value]


def _last_entry(order_id: str, plus: Sequence[str | None]) -> StatusChange | None:
    """The last history entry of these items; of the order itself where None is among them."""
    history = StatusChange.objects.filter(order_id=order_id)
    history = history.filter(plu=None) if None in plus else history.filter(plu__in=plus)
    return history.order_by("-sequence").first()


def _describe_last(screen: Screen, order_id: str, plus: Sequence[str] | None) -> str:
    """Who made the last change: of the order where it has ended or `plus` is None, else of these items."""
    status = Order.objects.filter(pk=order_id).values_list("status", flat=True).first()
    last = _last_entry(order_id, [None] if plus is None or status in TERMINAL else plus)
    return _describe(last, screen.kitchen) if last else ""


def _describe(entry: StatusChange, kitchen: Kitchen) -> str:
    """“Grill did this at 12:04”, in the kitchen's time."""
    facts = {"who": actor_name(entry.actor), "time": f"{entry.at.astimezone(kitchen.zone):%H:%M}"}
    if entry.to_status == CANCELLED:
        return _("Cancelled by %(who)s at %(time)s") % facts
    if entry.kind == Kind.RECALL:
        return _("%(who)s took this back at %(time)s") % facts
    return _("%(who)s did this at %(time)s") % facts


def actor_name(actor: str) -> str:
    """`screen:Grill` → Grill."""
    return actor.partition(":")[2] or actor
