"""What changes seldom and every board needs: brands, which station makes what, and when the kitchen is open. Kept in
the process for 3 s."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from time import monotonic
from typing import Final

from django.db import connection

from kitchen_display.page_version import digest
from kitchen_display.reads import from_json
from kitchen_display.tickets import DEFAULT_COLOUR, BrandMark
from orders.hours import Opening, opening_of
from orders.models import ClosedDays, Kitchen, OpeningHours

FRESH_SECONDS: Final = 3.0

# All in one statement: a board that finds nothing kept must not pay twice.
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


@dataclass(slots=True)
class Configuration:
    """`stations`: id → (slug, name), by name. `digest` tells two configurations apart."""

    brands: dict[str, BrandMark]
    stations: dict[int, tuple[str, str]]
    exact: dict[str, frozenset[int]] = field(default_factory=dict)
    prefixes: dict[str, frozenset[int]] = field(default_factory=dict)
    digest: str = ""
    hours: list[OpeningHours] = field(default_factory=list)
    closed: list[ClosedDays] = field(default_factory=list)
    _opening: Opening | None = None
    _claims: dict[str, frozenset[int]] = field(default_factory=dict)

    def brand(self, brand_id: str) -> BrandMark:
        return self.brands.get(brand_id) or BrandMark(brand_id)

    def add(self, station: int, slug: str, name: str, plu: str | None, *, is_prefix: bool) -> None:
        """A station and one of its rules; `plu` is None where it has none."""
        self.stations[station] = (slug, name)
        if plu is not None:
            kind = self.prefixes if is_prefix else self.exact
            kind[plu] = kind.get(plu, frozenset()) | {station}

    def opening(self, kitchen: Kitchen, now: datetime) -> Opening | None:
        """Whether the kitchen is open, reckoned anew when that has ended; None where it has not said."""
        kept = self._opening
        if self.hours and (kept is None or kept.until is None or kept.until <= now):
            self._opening = opening_of(kitchen, self.hours, self.closed, now)
        return self._opening

    def makers(self, plu: str) -> frozenset[int]:
        """The stations whose rules claim a product: the longest match wins. Empty: nobody claims it, so all show it."""
        found = self._claims.get(plu)
        if found is None:
            found = self._claims[plu] = self._match(plu)
        return found

    def concerns(self, station: int | None, plu: str) -> bool:
        """Whether a screen of this station (None: expo, which sees everything) shows and moves a product."""
        if station is None:
            return True
        makers = self.makers(plu)
        return not makers or station in makers

    def _match(self, plu: str) -> frozenset[int]:
        for name in (plu, base_plu(plu)):
            if name in self.exact:
                return self.exact[name]
        for length in range(len(plu), 0, -1):
            if plu[:length] in self.prefixes:
                return self.prefixes[plu[:length]]
        return frozenset()


def base_plu(plu: str) -> str:
    """A line that shares its PLU with another one of its order ends in `~2` (docs/integrators.md): the same product."""
    base, tilde, number = plu.rpartition("~")
    return base if tilde and base and number.isdigit() else plu


def read_configuration(kitchen: str) -> Configuration:
    """As it is now; one statement, whose cost is that of the brands and rules there are."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [kitchen] * 3)
        row = cursor.fetchone()
    brands, rules, hours, closed = (from_json(value) for value in row or (None,) * 4)
    found = Configuration(
        {id_: BrandMark(name, colour or DEFAULT_COLOUR) for id_, name, colour in brands}, {}
    )
    for station, slug, name, plu, is_prefix in rules:
        found.add(station, slug, name, plu, is_prefix=is_prefix)
    found.hours = [
        OpeningHours(weekday=day, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
        for day, opens, closes in hours
    ]
    found.closed = [
        ClosedDays(first=date.fromisoformat(first), last=date.fromisoformat(last), reason=reason)
        for first, last, reason in closed
    ]
    found.digest = digest([sorted(brands), rules])
    return found


# Entries of the last seconds, too: for the kitchens that one process serves within FRESH_SECONDS.
@lru_cache(maxsize=512)
def _kept(kitchen: str, moment: int) -> Configuration:
    return read_configuration(kitchen)


def configuration(kitchen: str) -> Configuration:
    """At most FRESH_SECONDS old."""
    return _kept(kitchen, int(monotonic() / FRESH_SECONDS))


def forget_configuration() -> None:
    """After a change in this process, so that who made it sees it at once."""
    _kept.cache_clear()
