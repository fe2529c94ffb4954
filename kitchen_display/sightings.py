"""Which orders a screen has reported as shown, and the alert for those that no screen shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection

from kitchen_display.models import Screen
from orders import clock
from orders.statuses import OPEN, UNREADY, in_sql

# A screen that works shows a new order within a second; three looks of a polling one fit in here.
UNSEEN_AFTER: Final = timedelta(seconds=15)
KEEP: Final = timedelta(days=2)
MOST_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Unseen:
    order_id: str
    kitchen: str
    seconds: float  # since it came, or was changed last


# A time ahead of now is from before the clock was set back, and long ago.
# Orders are read first, by themselves: on a cluster they lie on other machines than the sightings.
_UNSEEN: Final = f"""
WITH o AS MATERIALIZED (
    SELECT id, kitchen_id, changed_at FROM orders_order
    WHERE status IN {in_sql(UNREADY)} AND (changed_at < %(before)s OR changed_at > %(ahead)s)
)
SELECT o.id, o.kitchen_id, abs(extract(epoch FROM %(now)s - o.changed_at))::float
FROM o
WHERE o.kitchen_id = ANY(%(kitchens)s)
  AND NOT EXISTS (SELECT FROM kitchen_display_sighting s WHERE s.order_id = o.id)
ORDER BY o.changed_at LIMIT %(most)s"""  # noqa: S608


_SHOWN: Final = f"""
INSERT INTO kitchen_display_sighting (order_id, screen_id, at)
SELECT id, %s, %s FROM orders_order WHERE id = ANY(%s) AND kitchen_id = %s AND status IN {in_sql(OPEN)}
ON CONFLICT DO NOTHING"""  # noqa: S608


def unseen_orders() -> list[Unseen]:
    """Orders to be made that have been here for UNSEEN_AFTER and that no screen has shown, MOST_AT_ONCE at most."""
    now = clock.now()
    before, ahead = now - UNSEEN_AFTER, now + UNSEEN_AFTER
    # Only kitchens that have had a display for so long: others may well work without one.
    screens = Screen.objects.watching().exclude(paired_at__range=(before, ahead))
    kitchens = list(screens.values_list("kitchen_id", flat=True).order_by("kitchen_id").distinct())
    if not kitchens:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _UNSEEN,
            {"now": now, "before": before, "ahead": ahead, "kitchens": kitchens, "most": MOST_AT_ONCE},
        )
        return [Unseen(*row) for row in cursor.fetchall()]


def unseen_samples() -> list[tuple[dict[str, str], float]]:
    """The gauge: how many, in each kitchen that has a display; 0 is reported too, so that an alert can rely on it."""
    watched = Screen.objects.watching().values_list("kitchen_id", flat=True).distinct()
    counts = dict.fromkeys(watched.order_by("kitchen_id"), 0) | Counter(
        unseen.kitchen for unseen in unseen_orders()
    )
    return [({"kitchen": kitchen}, count) for kitchen, count in counts.items()]


def record_sightings(screen: Screen, order_ids: Sequence[str]) -> None:
    """`screen` shows these orders. Ids that are not open orders of its kitchen are ignored."""
    # PostgreSQL refuses a text with a NUL.
    valid = [order_id for order_id in dict.fromkeys(order_ids) if "\x00" not in order_id][:MOST_AT_ONCE]
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, [screen.pk, clock.now(), valid, screen.kitchen_id])


def purge_sightings() -> int:
    """Remove sightings of orders that ended long ago. Those of open orders stay, or they would alert again."""
    with connection.cursor() as cursor:
        # In two statements, because on a cluster the two tables lie on different machines.
        cursor.execute(
            f"SELECT coalesce(array_agg(id), '{{}}') FROM orders_order WHERE status IN {in_sql(OPEN)}"  # noqa: S608
        )
        (still_open,) = cursor.fetchone()
        cursor.execute(
            "DELETE FROM kitchen_display_sighting WHERE at < %s AND order_id <> ALL(%s)",
            [clock.now() - KEEP, still_open],
        )
        return cursor.rowcount
