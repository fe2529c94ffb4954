"""Days as a kitchen lives them, out of rollups that are kept by hours of UTC.

An hour of UTC belongs to the local day and hour in which it begins. In zones that differ from UTC by whole hours that
is exact, also on the days of 23 and 25 hours; elsewhere (India, Nepal) a day begins up to 45 minutes late.
"""

import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """Local days, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * DAY for n in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def back(self, days: int) -> "Days":
        return Days(self.first - days * DAY, self.last - days * DAY)

    def hours(self, zone: str) -> tuple[datetime, datetime]:
        """The first hour of UTC that belongs to them, and the first that no longer does."""
        return _begin(self.first, zone), _begin(self.last + DAY, zone)


def _begin(day: date, zone: str) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)
    hour = midnight.replace(minute=0, second=0, microsecond=0)
    return hour if hour == midnight else hour + HOUR


@dataclass(frozen=True, slots=True)
class LocalDay:
    """How a local day comes from the sums of a day of UTC: these hours more, those less. Sums can be subtracted."""

    day: datetime
    more: tuple[datetime, ...]
    less: tuple[datetime, ...]


@lru_cache(maxsize=5_000)
def local_day(day: date, zone: str) -> LocalDay:
    """The local day out of the day of UTC that shares the most hours with it."""
    start, end = Days(day, day).hours(zone)
    middle = start + (end - start) / 2
    utc = middle.replace(hour=0, minute=0, second=0, microsecond=0)
    local = {start + n * HOUR for n in range((end - start) // HOUR)}
    given = {utc + n * HOUR for n in range(24)}
    return LocalDay(utc, tuple(sorted(local - given)), tuple(sorted(given - local)))


def local_hour(hour: datetime, zone: zoneinfo.ZoneInfo) -> tuple[date, int]:
    """The day and the hour of day that an hour of UTC belongs to."""
    local = hour.astimezone(zone)
    return local.date(), local.hour
