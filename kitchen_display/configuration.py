"""What changes seldom and every board needs: brands, which station makes what, and opening hours. Cached in the process
for 3 s."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from time import monotonic
from typing import Final

from django.db import connection

from kitchen_display.models import Station
from kitchen_display.page_version import digest
from kitchen_display.reads import from_json
from kitchen_display.tickets import DEFAULT_COLOUR, BrandMark
from orders.hours import Opening, opening_of
from orders.models import ClosedDays, Kitchen, OpeningHours

FRESH_SECONDS: Final = 3.0
# The score of an exact rule: better than any prefix, as PLUs have at most 128 characters.
EXACT: Final = 1000

# One statement, so that a board that finds nothing cached pays only once.
_SQL: Final = """
SELECT
  (SELECT json_agg(json_build_array(id, name, colour)) FROM orders_brand),
  (SELECT json_agg(json_build_array(station.id, station.slug, station.name, rule.plu, rule.is_prefix)
                   ORDER BY station.name, station.id)
   FROM kitchen_display_station station
   LEFT JOIN kitchen_display_stationrule rule ON rule.station_id = station.id
   WHERE station.kitchen_id = %s),
  (SELECT json_agg(json_build_array(weekday, opens, closes)) FROM orders_openinghours WHERE kitchen_id = %s),
  (SELECT json_agg(json_build_array(first, last, reason)) FROM orders_closeddays WHERE kitchen_id = %s)
"""


def base_plu(plu: str) -> str:
    """`BURGER~2` is a second item of the product `BURGER` in one order (docs/integrators.md)."""
    base, tilde, number = plu.rpartition("~")
    return base if tilde and base and number.isdigit() else plu


def best_stations[S](plu: str, rules: Iterable[tuple[S, str, bool]]) -> tuple[int, frozenset[S]]:
    """How well rules (station, PLU, is prefix) match a product at best, and the stations whose rules match that well.

    The longest prefix wins, an exact rule before any prefix. 0: no rule matches.
    """
    base, best, stations = base_plu(plu), 0, set[S]()
    for station, rule, is_prefix in rules:
        if is_prefix:
            score = len(rule) if plu.startswith(rule) else 0
        else:
            score = EXACT if rule == plu else EXACT - 1 if rule == base else 0
        if score > best:
            best, stations = score, {station}
        elif score and score == best:
            stations.add(station)
    return best, frozenset(stations)


@dataclass(slots=True)
class KitchenConfig:
    """`stations`: id → (slug, name), by name. `digest` tells two configurations apart."""

    brands: dict[str, BrandMark] = field(default_factory=dict)
    stations: dict[int, tuple[str, str]] = field(default_factory=dict)
    rules: list[tuple[int, str, bool]] = field(default_factory=list)
    digest: str = ""
    hours: list[OpeningHours] = field(default_factory=list)
    closed: list[ClosedDays] = field(default_factory=list)
    _opening: Opening | None = None
    _stations_of: dict[str, frozenset[int]] = field(default_factory=dict)

    def brand(self, brand_id: str) -> BrandMark:
        return self.brands.get(brand_id) or BrandMark(brand_id)

    def add(self, station: int, slug: str, name: str, plu: str | None, *, is_prefix: bool) -> None:
        """A station and one of its rules; `plu` is None where it has none."""
        self.stations[station] = (slug, name)
        if plu is not None:
            self.rules.append((station, plu, is_prefix))

    def opening(self, kitchen: Kitchen, now: datetime) -> Opening | None:
        """Whether the kitchen is open; None where it has no hours. Computed again once the last answer has ended."""
        last = self._opening
        if self.hours and (last is None or last.until is None or last.until <= now):
            self._opening = opening_of(kitchen, self.hours, self.closed, now)
        return self._opening

    def stations_of(self, plu: str) -> frozenset[int]:
        """The stations that make a product. Empty: no rule claims it, so every station shows it."""
        stations = self._stations_of.get(plu)
        if stations is None:
            _, stations = best_stations(plu, self.rules)
            self._stations_of[plu] = stations
        return stations

    def makes(self, station: int | None, plu: str) -> bool:
        """Whether a screen of this station (None: expo, which sees everything) shows and moves a product."""
        if station is None:
            return True
        stations = self.stations_of(plu)
        return not stations or station in stations


def read_kitchen_config(kitchen: str) -> KitchenConfig:
    """As it is now; one statement, whose cost is that of the brands and rules there are."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [kitchen] * 3)
        row = cursor.fetchone()
    brands, rules, hours, closed = (from_json(value) for value in row or (None,) * 4)
    config = KitchenConfig(
        brands={id_: BrandMark(name, colour or DEFAULT_COLOUR) for id_, name, colour in brands},
        digest=digest([sorted(brands), rules]),
        hours=[
            OpeningHours(weekday=day, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
            for day, opens, closes in hours
        ],
        closed=[
            ClosedDays(first=date.fromisoformat(first), last=date.fromisoformat(last), reason=reason)
            for first, last, reason in closed
        ],
    )
    for station, slug, name, plu, is_prefix in rules:
        config.add(station, slug, name, plu, is_prefix=is_prefix)
    return config


# Old entries stay for a while; this is room for the kitchens that one process serves within FRESH_SECONDS.
@lru_cache(maxsize=512)
def _cached(kitchen: str, period: int) -> KitchenConfig:
    return read_kitchen_config(kitchen)


def kitchen_config(kitchen: str) -> KitchenConfig:
    """At most FRESH_SECONDS old."""
    return _cached(kitchen, int(monotonic() / FRESH_SECONDS))


def forget_kitchen_configs() -> None:
    """After a change in this process, so that it is seen here at once."""
    _cached.cache_clear()


def station_names(kitchens: Sequence[str]) -> Callable[[str, str], tuple[str, ...]]:
    """From kitchen and PLU to the names of the stations that make it; none where no rule claims it. One statement.

    For apps that know nothing of stations (see huuva/apps.py).
    """
    configs: defaultdict[str, KitchenConfig] = defaultdict(KitchenConfig)
    rows = Station.objects.filter(kitchen__in=kitchens).order_by("kitchen_id", "name", "pk")
    for kitchen, station, slug, name, plu, is_prefix in rows.values_list(
        "kitchen_id", "pk", "slug", "name", "rules__plu", "rules__is_prefix"
    ):
        configs[kitchen].add(station, slug, name, plu, is_prefix=is_prefix)

    def names(kitchen: str, plu: str) -> tuple[str, ...]:
        config = configs[kitchen]
        return tuple(name for id_, (_slug, name) in config.stations.items() if id_ in config.stations_of(plu))

    return names
