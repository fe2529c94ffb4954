"""The figures behind the panels, in local days and free of any language, as they follow from the rollups."""

import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
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
    """`cells`: local day and hour → orders. `shares`: brand and channel → orders of the days asked for. `times`: local
    day and status → histogram. `newcomers`: local day → first orders of customers."""

    cells: Cells
    shares: dict[tuple[str, str], Sums]
    times: dict[tuple[date, int], Buckets]
    products: list[Product]
    newcomers: dict[date, int]
    mass: MassMoves


# Managers use the same few filters; each entry may take some hundred kilobytes. Figures of another cursor, and so of
# older rollups, are never asked for again and expire.
@cached(TTLCache(16, ttl=300), key=lambda question, cursor: (question.key, cursor), lock=Lock())
def figures(question: DashboardFilter, cursor: str) -> Figures:
    """The figures of the rollups at `cursor`, their position in the change feed."""
    if not question.kitchens:
        return Figures({}, {}, {}, [], {}, MassMoves(0, []))
    hours = reads.hours(question)
    newcomers: defaultdict[date, int] = defaultdict(int)
    beside = reads.newcomers_and_mass_moves(question)
    for (kitchen, hour), number in beside.newcomers.items():
        newcomers[_local(hour, question.zone_of[kitchen])[0]] += number
    cells: Cells = {}
    for (kitchen, hour), sums in hours.cells.items():
        key = _local(hour, question.zone_of[kitchen])
        cells[key] = cells[key].plus(sums) if key in cells else sums
    return Figures(
        cells,
        hours.shares,
        reads.times_in_status(question),
        reads.products(question),
        dict(newcomers),
        beside.mass,
    )


# A page asks for the hours of half a year, again and again.
_local: Final[Callable[[datetime, zoneinfo.ZoneInfo], tuple[date, int]]] = lru_cache(maxsize=20_000)(
    local_hour
)


def total(sums: Iterable[Sums]) -> Sums:
    found = list(sums)
    # Column by column: there may be thousands.
    return Sums(*map(sum, zip(*found, strict=True))) if found else Sums()


def of_days(cells: Cells, days: Days) -> Sums:
    return total(sums for (day, _hour), sums in cells.items() if day in days)


def by_day(cells: Cells, days: Days) -> dict[date, Sums]:
    """Each of the days, also those without orders."""
    found: dict[date, list[Sums]] = {day: [] for day in days}
    for (day, _hour), sums in cells.items():
        if day in found:
            found[day].append(sums)
    return {day: total(sums) for day, sums in found.items()}


@dataclass(frozen=True, slots=True)
class Compared:
    """The days asked for against the same weekdays before, over the hours that have ended.

    `before` has as many days as `now`; of a single day it is the average of `days_before`, the same weekday in up to
    four weeks before. `until`: the hour of today up to which both count, where it is earliest; None where all days
    are over everywhere.
    """

    now: Sums
    before: Sums
    days_before: tuple[date, ...]
    until: int | None


def compared(question: DashboardFilter, cells: Cells) -> Compared:
    ended = _ended(question)
    inside = [(key, sums) for key, sums in cells.items() if key[0] in question.days and ended(key)]
    now = total(sums for _key, sums in inside)
    running_day, hour = question.running
    until = hour if running_day in question.days else 0 if question.today in question.days else None
    if len(question.days) > 1:
        back = 7 * question.weeks * DAY
        before = total(
            sums
            for (day, hour), sums in cells.items()
            if day + back in question.days and ended((day + back, hour))
        )
        days = question.days.back(7 * question.weeks)
        return Compared(now, before, (days.first, days.last) if before.orders else (), until)
    day = question.days.first
    found = same_weekdays(day, cells)
    sums = total(sums for (of, hour), sums in cells.items() if of in found and ended((day, hour)))
    return Compared(now, sums.over(len(found)), tuple(found), until)


def same_weekdays(day: date, cells: Cells) -> list[date]:
    """Of the four weeks before those days that had orders: a kitchen may be younger, or have been closed."""
    had = {of for (of, _hour), sums in cells.items() if sums.orders}
    return [before for n in range(1, WEEKS_BEFORE + 1) if (before := day - 7 * n * DAY) in had]


def _ended(question: DashboardFilter) -> Callable[[tuple[date, int]], bool]:
    running = question.running
    return lambda key: key < running


@dataclass(frozen=True, slots=True)
class Heat:
    """`average`: weekday (0 is Monday) and hour → orders on an average day of that kind; over `days`."""

    average: dict[tuple[int, int], float]
    days: Days | None


def heat(question: DashboardFilter, cells: Cells) -> Heat:
    days = {day for (day, _hour), sums in cells.items() if day in question.heat and sums.orders}
    if not days:
        return Heat({}, None)
    # A kitchen that opened lately has no quiet weekdays before that.
    open_days = Days(min(days), question.heat.last)
    number: defaultdict[int, int] = defaultdict(int)
    for day in open_days:
        number[day.weekday()] += 1
    orders: defaultdict[tuple[int, int], float] = defaultdict(float)
    for (day, hour), sums in cells.items():
        if day in open_days:
            orders[day.weekday(), hour] += sums.orders
    return Heat({key: found / number[key[0]] for key, found in orders.items()}, open_days)


def percentile_seconds(buckets: Buckets, shares: tuple[float, ...] = (0.5, 0.9)) -> list[float | None]:
    """Of a histogram; None where it is empty."""
    if not buckets:
        return [None] * len(shares)
    found = percentiles({int(bucket): number for bucket, number in buckets.items()}, shares)
    return [micros / 1_000_000 for micros in found]
