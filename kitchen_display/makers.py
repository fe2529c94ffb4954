"""Which stations make what, for those who don't know of stations (see huuva/apps.py)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from django.db import connection

from kitchen_display.configuration import Configuration

_SQL: Final = """
SELECT station.kitchen_id, station.id, station.slug, station.name, rule.plu, rule.is_prefix
FROM kitchen_display_station station LEFT JOIN kitchen_display_stationrule rule ON rule.station_id = station.id
WHERE station.kitchen_id = ANY(%s) ORDER BY station.kitchen_id, station.name, station.id
"""


def station_names(kitchens: Sequence[str]) -> Callable[[str, str], tuple[str, ...]]:
    """From kitchen and PLU to the names of the stations that make it; none where no rule claims it. One statement."""
    found: defaultdict[str, Configuration] = defaultdict(lambda: Configuration({}, {}))
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [list(kitchens)])
        for kitchen, station, slug, name, plu, is_prefix in cursor.fetchall():
            found[kitchen].add(station, slug, name, plu, is_prefix=is_prefix)

    def makers(kitchen: str, plu: str) -> tuple[str, ...]:
        stations = found[kitchen].stations
        claimed = found[kitchen].makers(plu)
        return tuple(name for id_, (_slug, name) in stations.items() if id_ in claimed)

    return makers
