"""What can be brought back: the recall list, and what a screen bumped last. Read only when somebody asks."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from kitchen_display.bumping import actor_name
from kitchen_display.configuration import kitchen_config
from kitchen_display.models import Screen, TicketNumber
from kitchen_display.reads import display_number
from kitchen_display.tickets import Recallable
from orders.statuses import CANCELLED, Kind

MOST: Final = 30

# Bounded by what the kitchen touched within the time of recall, by the index on updated_at. Imported history was done
# elsewhere.
_SQL: Final = f"""
SELECT o.id, o.channel_display_id, o.channel_order_id, o.brand_id,
       c.plu, c.to_status, c.kind, c.change, c.recalls, c.at, c.actor, i.name, i.quantity
FROM orders_order o
JOIN orders_statuschange c ON c.order_id = o.id
LEFT JOIN orders_orderitem i ON i.order_id = c.order_id AND i.plu = c.plu
WHERE o.kitchen_id = %s AND o.updated_at >= %s AND c.at >= %s AND c.from_status IS NOT NULL
  AND c.kind <> {Kind.IMPORT:d}
ORDER BY c.order_id, c.sequence"""  # noqa: S608


class _Entry(NamedTuple):
    order_id: str
    channel_display_id: str
    channel_order_id: str
    brand_id: str
    plu: str | None
    to_status: int
    kind: int
    change: int
    recalls: int | None
    at: datetime
    actor: str
    name: str | None
    quantity: int | None


@dataclass(slots=True)
class _Change:
    """One change of one order."""

    order_id: str
    display: str
    brand_id: str
    number: int
    actor: str
    at: datetime
    to_status: int
    first_plu: str | None  # None where the order itself was moved
    items: list[tuple[str, str]] = field(default_factory=list)  # PLU and “2 × Salmon”

    @property
    def moved(self) -> set[str]:
        return {plu for plu, _ in self.items}


def recall_list(screen: Screen, now: datetime) -> list[Recallable]:
    """The latest MOST things that this screen may bring back, newest first."""
    return _entries(screen, _recallable(screen, now)[:MOST])


def last_bumped(screen: Screen, now: datetime, within: timedelta | None = None) -> Recallable | None:
    """What this screen itself bumped last and nobody has moved since; `within` this time, else that of recall."""
    for change in _recallable(screen, now):
        if within is not None and now - change.at > within:
            break
        if change.actor == screen.actor:
            return _entries(screen, [change])[0]
    return None


def _recallable(screen: Screen, now: datetime) -> list[_Change]:
    """Changes that a recall would take back whole, newest first: nothing that they moved has been moved since."""
    since = now - timedelta(minutes=screen.kitchen.recall_minutes)
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [screen.kitchen_id, since, since])
        entries = [_Entry._make(row) for row in cursor.fetchall()]
    recalled = {(entry.order_id, entry.recalls) for entry in entries if entry.kind == Kind.RECALL}
    by_order: defaultdict[str, dict[int, _Change]] = defaultdict(dict)
    for entry in entries:
        if entry.kind != Kind.RECALL and (entry.order_id, entry.change) not in recalled:
            _add(by_order[entry.order_id], entry)
    recallable: list[_Change] = []
    for changes in by_order.values():
        moved_since: set[str] = set()
        is_newest = True
        for change in sorted(changes.values(), key=lambda change: -change.number):
            is_last = is_newest or (change.first_plu is not None and not change.moved & moved_since)
            if is_last and change.to_status != CANCELLED and _may_recall(screen, change):
                recallable.append(change)
            moved_since |= change.moved
            is_newest = False
            if change.first_plu is None:
                break  # The whole order moved: what was before can't come back by itself.
    return sorted(recallable, key=lambda change: change.at, reverse=True)


def _add(changes: dict[int, _Change], entry: _Entry) -> None:
    change = changes.get(entry.change)
    if change is None:
        change = changes[entry.change] = _Change(
            order_id=entry.order_id,
            display=display_number(entry.channel_display_id, entry.channel_order_id),
            brand_id=entry.brand_id,
            number=entry.change,
            actor=entry.actor,
            at=entry.at,
            to_status=entry.to_status,
            first_plu=entry.plu,
        )
    if entry.plu is not None:
        change.items.append((entry.plu, f"{entry.quantity} × {entry.name}"))


def _may_recall(screen: Screen, change: _Change) -> bool:
    """Expo anything; a station what moved its own items alone."""
    if screen.is_expo:
        return True
    config = kitchen_config(screen.kitchen_id)
    return change.first_plu is not None and all(config.makes(screen.station_id, plu) for plu in change.moved)


def _entries(screen: Screen, changes: list[_Change]) -> list[Recallable]:
    order_ids = [change.order_id for change in changes]
    numbers = dict(TicketNumber.objects.filter(order_id__in=order_ids).values_list("order_id", "number"))
    config = kitchen_config(screen.kitchen_id)
    return [
        Recallable(
            order_id=change.order_id,
            number=numbers.get(change.order_id),
            display=change.display,
            brand=config.brand(change.brand_id),
            plu=change.first_plu or "",
            items=tuple(text for _, text in change.items),
            to_status=change.to_status,
            actor=actor_name(change.actor),
            at=change.at,
        )
        for change in changes
    ]
