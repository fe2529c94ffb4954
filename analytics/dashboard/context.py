"""What there is to ask about: kitchens, brands, and how far the figures are; one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from django.db import connection

from orders.models import Brand, Kitchen

_SQL: Final = """
SELECT
  (SELECT json_agg(json_build_array(slug, name, time_zone, release_minutes) ORDER BY name, slug)
   FROM orders_kitchen)::text,
  (SELECT json_agg(json_build_array(id, name, colour) ORDER BY name, id) FROM orders_brand)::text,
  coalesce((SELECT cursor FROM analytics_progress), ''),
  (SELECT refreshed_at FROM analytics_progress)
"""


@dataclass(frozen=True, slots=True)
class DashboardContext:
    """`place` is where the rollups are in the change feed; `refreshed_at` None: they have never been made."""

    kitchens: list[Kitchen]
    brands: list[Brand]
    place: str
    refreshed_at: datetime | None


def read_setting() -> DashboardContext:
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        kitchens, brands, place, refreshed_at = cursor.fetchone()
    return DashboardContext(
        [
            Kitchen(slug=slug, name=name, time_zone=zone, release_minutes=release)
            for slug, name, zone, release in orjson.loads(kitchens or "[]")
        ],
        [Brand(id=id_, name=name, colour=colour) for id_, name, colour in orjson.loads(brands or "[]")],
        place,
        refreshed_at,
    )
