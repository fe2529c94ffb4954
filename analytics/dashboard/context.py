"""What the dashboard can show to a user: kitchens, brands, their stations, and how far the rollups are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from orders.access import kitchens_of
from orders.models import Brand, Kitchen

_SQL: Final = """
SELECT
  (SELECT json_agg(json_build_array(slug, name, time_zone, release_minutes) ORDER BY name, slug)
   FROM orders_kitchen)::text,
  (SELECT json_agg(json_build_array(id, name, colour) ORDER BY name, id) FROM orders_brand)::text,
  coalesce((SELECT cursor FROM analytics_progress), ''),
  (SELECT refreshed_at FROM analytics_progress)
"""

# The names of the stations that make a product, by kitchen and PLU.
type StationLookup = Callable[[str, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DashboardContext:
    """`cursor` is the rollups' position in the change feed; `refreshed_at` is None where they were never built."""

    kitchens: list[Kitchen]
    brands: list[Brand]
    cursor: str
    refreshed_at: datetime | None


def read_context() -> DashboardContext:
    with connection.cursor() as cursor:
        cursor.execute(_SQL)
        kitchens, brands, position, refreshed_at = cursor.fetchone()
    return DashboardContext(
        [
            Kitchen(slug=slug, name=name, time_zone=zone, release_minutes=release)
            for slug, name, zone, release in orjson.loads(kitchens or "[]")
        ],
        [Brand(id=id_, name=name, colour=colour) for id_, name, colour in orjson.loads(brands or "[]")],
        position,
        refreshed_at,
    )


def may_see(user: Any) -> bool:
    """Whoever sees all orders may see their sums; `analytics.view_dashboard` allows the sums alone."""
    return bool(
        user.is_active
        and user.is_staff
        and (user.has_perm("orders.view_order") or user.has_perm("analytics.view_dashboard"))
    )


def may_open_orders(user: Any) -> bool:
    """Whether the user can follow links to orders and lists of them."""
    return bool(user.has_perm("orders.view_order"))


def visible_kitchens(user: Any, kitchens: Sequence[Kitchen]) -> list[Kitchen]:
    """The kitchens whose figures the user may see. Every read of the dashboard is limited to them."""
    if not may_see(user):
        return []
    allowed = kitchens_of(user)
    return [kitchen for kitchen in kitchens if allowed is None or kitchen.slug in allowed]


def _no_stations(kitchens: Sequence[str]) -> StationLookup:
    return lambda kitchen, plu: ()


_station_lookup: Callable[[Sequence[str]], StationLookup] = _no_stations


def set_station_lookup(lookup: Callable[[Sequence[str]], StationLookup]) -> None:
    """Called by huuva at start: stations belong to kitchen_display, which analytics doesn't import. `lookup` takes the
    slugs of kitchens."""
    global _station_lookup
    _station_lookup = lookup


def station_lookup(kitchens: Sequence[str]) -> StationLookup:
    return _station_lookup(kitchens)
