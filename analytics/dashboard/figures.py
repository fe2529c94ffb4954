"""The figures behind the panels, by local day and independent of language."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock
from typing import Final

from cachetools import TTLCache, cached

from analytics.dashboard import reads
from analytics.dashboard.days import DAY, Days, local_hour
from analytics.dashboard.filters import WEEKS_BEFORE, DashboardFilter
from analytics.dashboard.reads import Buckets, MassMoves, Product, Sums
from analytics.histogram import percentiles

type Cells = dict[tuple[date, int], Sums]


@dataclass(frozen=True, slots=True)
class Figures:
    """`cells`: local day and hour → orders. `shares`: brand and channel → orders of the chosen days. `times`: local day
    and status → histogram. `newcomers`: local day → first orders of customers."""

    cells: Cells
    shares: dict[tuple[str, str], Sums]
    times: dict[tuple[date, int], Buckets]
    products: list[Product]
    newcomers: dict[date, int]
    mass: MassMoves


# A page asks for the hours of half a year, again and again.
_local_hour: Final = lru_cache(maxsize=20_000)(local_hour)


# Managers use the same few filters; each entry may take some hundred kilobytes. Figures of another cursor, and so of
# older rollups, are never asked for again and expire.
@cached(TTLCache(16, ttl=300), key=lambda filters, cursor: (filters.key, cursor), lock=Lock())
def figures(filters: DashboardFilter, cursor: str) -> Figures:
    """The figures of the rollups at `cursor`, their position in the change feed."""
    if not filters.kitchens:
        return Figures({}, {}, {}, [], {}, MassMoves(0, []))
    hours = reads.hours(filters)
    newcomers: defaultdict[date, int] = defaultdict(int)
    customers = reads.newcomers_and_mass_moves(filters)
    for (kitchen, hour), number in customers.newcomers.items():
        newcomers[_local_hour(hour, filters.zone_of[kitchen])[0]] += number
    cells: Cells = {}
    for (kitchen, hour), sums in hours.cells.items():
        key = _local_hour(hour, filters.zone_of[kitchen])
        cells[key] = cells[key].plus(sums) if key in cells else sums
    return Figures(
        cells,
        hours.shares,
        reads.times_in_status(filters),
        reads.products(filters),
        dict(newcomers),
        customers.mass,
    )


def total(sums: Iterable[Sums]) -> Sums:
    rows = list(sums)
    # Column by column: there may be thousands.
    return Sums(*map(sum, zip(*rows, strict=True))) if rows else Sums()


def of_days(cells: Cells, days: Days) -> Sums:
    return total(sums for (day, _hour), sums in cells.items() if day in days)


def by_day(cells: Cells, days: Days) -> dict[date, Sums]:
    """Each of the days, also those without orders."""
    sums_of: dict[date, list[Sums]] = {day: [] for day in days}
    for (day, _hour), sums in cells.items():
        if day in sums_of:
            sums_of[day].append(sums)
    return {day: total(sums) for day, sums in sums_of.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chosen days compared with the same weekdays before, over the hours that have ended.

    `before` covers as many days as `now`; for a single day it is the average of `days_before`, the same weekday in up
    to four weeks before. `until`: the hour of today up to which both are counted, where it is earliest; None where all
    days are over everywhere.
    """

    now: Sums
    before: Sums
    days_before: tuple[date, ...]
    until: int | None


def compare(filters: DashboardFilter, cells: Cells) -> Comparison:
    running = filters.running
    inside = [(key, sums) for key, sums in cells.items() if key[0] in filters.days and key < running]
    now = total(sums for _key, sums in inside)
    running_day, hour = running
    until = hour if running_day in filters.days else 0 if filters.today in filters.days else None
    if len(filters.days) > 1:
        back = 7 * filters.weeks * DAY
        before = total(
            sums
            for (day, hour), sums in cells.items()
            if day + back in filters.days and (day + back, hour) < running
        )
        days = filters.days.back(7 * filters.weeks)
        return Comparison(now, before, (days.first, days.last) if before.orders else (), until)
    day = filters.days.first
    weekdays = same_weekdays(day, cells)
    sums = total(sums for (other, hour), sums in cells.items() if other in weekdays and (day, hour) < running)
    return Comparison(now, sums.over(len(weekdays)), tuple(weekdays), until)


def same_weekdays(day: date, cells: Cells) -> list[date]:
    """The same weekday in the four weeks before, without days that had no orders: a kitchen may be younger, or have
    been closed."""
    open_days = {other for (other, _hour), sums in cells.items() if sums.orders}
    return [before for n in range(1, WEEKS_BEFORE + 1) if (before := day - 7 * n * DAY) in open_days]


def heat(filters: DashboardFilter, cells: Cells) -> tuple[dict[tuple[int, int], float], Days | None]:
    """By weekday (0 is Monday) and hour the average number of orders, and the days that it is over."""
    days = {day for (day, _hour), sums in cells.items() if day in filters.heat and sums.orders}
    if not days:
        return {}, None
    # Days before a kitchen's first order are not quiet days.
    open_days = Days(min(days), filters.heat.last)
    number: defaultdict[int, int] = defaultdict(int)
    for day in open_days:
        number[day.weekday()] += 1
    orders: defaultdict[tuple[int, int], float] = defaultdict(float)
    for (day, hour), sums in cells.items():
        if day in open_days:
            orders[day.weekday(), hour] += sums.orders
    return {key: sum_ / number[key[0]] for key, sum_ in orders.items()}, open_days


def percentile_seconds(buckets: Buckets, shares: tuple[float, ...] = (0.5, 0.9)) -> list[float | None]:
    """Of a histogram; None where it is empty."""
    if not buckets:
        return [None] * len(shares)
    micros = percentiles({int(bucket): number for bucket, number in buckets.items()}, shares)
    return [each / 1_000_000 for each in micros]
