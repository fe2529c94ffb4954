"""Local days of a kitchen, built from rollups that are stored by hour of UTC.

An hour of UTC belongs to the local day and hour in which it starts. In zones that differ from UTC by whole hours this
is exact, also on days of 23 and 25 hours; elsewhere (India, Nepal) a day starts up to 45 minutes late.
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
        """Their first hour of UTC, and the first hour after them."""
        return _start(self.first, zone), _start(self.last + DAY, zone)


def _start(day: date, zone: str) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)
    hour = midnight.replace(minute=0, second=0, microsecond=0)
    return hour if hour == midnight else hour + HOUR


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A local day as a day of UTC with some hours added and others subtracted: sums allow both."""

    utc_day: datetime
    added: tuple[datetime, ...]
    subtracted: tuple[datetime, ...]


@lru_cache(maxsize=5_000)
def local_day(day: date, zone: str) -> LocalDay:
    """Built from the day of UTC that shares the most hours with it."""
    start, end = Days(day, day).hours(zone)
    middle = start + (end - start) / 2
    utc = middle.replace(hour=0, minute=0, second=0, microsecond=0)
    local = {start + n * HOUR for n in range((end - start) // HOUR)}
    of_utc = {utc + n * HOUR for n in range(24)}
    return LocalDay(utc, tuple(sorted(local - of_utc)), tuple(sorted(of_utc - local)))


def local_hour(hour: datetime, zone: zoneinfo.ZoneInfo) -> tuple[date, int]:
    """The day and the hour of day that an hour of UTC belongs to."""
    local = hour.astimezone(zone)
    return local.date(), local.hour
