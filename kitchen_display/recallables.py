"""What can be brought back: the recall list, and what a screen bumped last. Read only when somebody asks."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from kitchen_display.bumping import who
from kitchen_display.configuration import configuration
from kitchen_display.models import Screen, TicketNumber
from kitchen_display.reads import display_number
from kitchen_display.tickets import Recallable
from orders.statuses import CANCELLED, Kind

MOST: Final = 30

# Bounded by what the kitchen touched within the time of recall, by the index on updated_at. What channels told of the
# past nobody did here.
_SQL: Final = f"""
SELECT o.id, o.channel_display_id, o.channel_order_id, o.brand_id,
       c.plu, c.to_status, c.kind, c.change, c.recalls, c.at, c.actor, i.name, i.quantity
FROM orders_order o
JOIN orders_statuschange c ON c.order_id = o.id
LEFT JOIN orders_orderitem i ON i.order_id = c.order_id AND i.plu = c.plu
WHERE o.kitchen_id = %s AND o.updated_at >= %s AND c.at >= %s AND c.from_status IS NOT NULL
  AND c.kind <> {Kind.IMPORT:d}
ORDER BY c.order_id, c.sequence"""  # noqa: S608


class _Row(NamedTuple):
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
class _Done:
    """One change of one order."""

    order_id: str
    display: str
    brand_id: str
    change: int
    actor: str
    at: datetime
    to_status: int
    begins_with: str | None  # the PLU of its first row; None where the order itself was moved
    lines: list[tuple[str, str]] = field(default_factory=list)  # PLU and words

    @property
    def moved(self) -> set[str]:
        return {plu for plu, _ in self.lines}


def recall_list(screen: Screen, now: datetime) -> list[Recallable]:
    """The latest MOST things that this screen may bring back, newest first."""
    return _shown(screen, _standing(screen, now)[:MOST])


def last_bumped(screen: Screen, now: datetime, within: timedelta | None = None) -> Recallable | None:
    """What this screen itself bumped last, where that still stands; `within` this time, else that of recall."""
    for done in _standing(screen, now):
        if within is not None and now - done.at > within:
            break
        if done.actor == screen.actor:
            return _shown(screen, [done])[0]
    return None


def _standing(screen: Screen, now: datetime) -> list[_Done]:
    """Changes that a recall would take back as they are: none of what they moved has been moved since."""
    since = now - timedelta(minutes=screen.kitchen.recall_minutes)
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [screen.kitchen_id, since, since])
        rows = [_Row._make(row) for row in cursor.fetchall()]
    gone = {(row.order_id, row.recalls) for row in rows if row.kind == Kind.RECALL}
    by_order: defaultdict[str, dict[int, _Done]] = defaultdict(dict)
    for row in rows:
        if row.kind != Kind.RECALL and (row.order_id, row.change) not in gone:
            _add(by_order[row.order_id], row)
    found: list[_Done] = []
    for changes in by_order.values():
        moved_since: set[str] = set()
        newest = True
        for done in sorted(changes.values(), key=lambda done: -done.change):
            stands = newest or (done.begins_with is not None and not done.moved & moved_since)
            if stands and done.to_status != CANCELLED and _may(screen, done):
                found.append(done)
            moved_since |= done.moved
            newest = False
            if done.begins_with is None:
                break  # The whole order moved: what was before can't come back by itself.
    return sorted(found, key=lambda done: done.at, reverse=True)


def _add(changes: dict[int, _Done], row: _Row) -> None:
    done = changes.get(row.change)
    if done is None:
        done = changes[row.change] = _Done(
            order_id=row.order_id,
            display=display_number(row.channel_display_id, row.channel_order_id),
            brand_id=row.brand_id,
            change=row.change,
            actor=row.actor,
            at=row.at,
            to_status=row.to_status,
            begins_with=row.plu,
        )
    if row.plu is not None:
        done.lines.append((row.plu, f"{row.quantity} × {row.name}"))


def _may(screen: Screen, done: _Done) -> bool:
    """Expo all; a station what moved its own items alone."""
    if screen.is_expo:
        return True
    found = configuration(screen.kitchen_id)
    whole = done.begins_with is None
    return not whole and all(found.concerns(screen.station_id, plu) for plu in done.moved)


def _shown(screen: Screen, changes: list[_Done]) -> list[Recallable]:
    numbers = dict(
        TicketNumber.objects.filter(order_id__in=[done.order_id for done in changes]).values_list(
            "order_id", "number"
        )
    )
    found = configuration(screen.kitchen_id)
    return [
        Recallable(
            order_id=done.order_id,
            number=numbers.get(done.order_id),
            display=done.display,
            brand=found.brand(done.brand_id),
            plu=done.begins_with or "",
            items=tuple(words for _, words in done.lines),
            to_status=done.to_status,
            actor=who(done.actor),
            at=done.at,
        )
        for done in changes
    ]
