"""The periods that rollups are summed over: each hour, day and month of UTC, and all time.

The coarse ones cost little to store and make any range cheap to read: it is put together from months, days at its
edges and hours at theirs, so a year reads no more rows than a week.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple


class Granularity(IntEnum):
    """Stored in the column `grain`."""

    HOUR = 1
    DAY = 2
    MONTH = 3
    ALL = 4


# The start of the one period of all time.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class PeriodRange(NamedTuple):
    """The periods of one granularity that start in [`start`, `end`); None is without end."""

    granularity: Granularity
    start: datetime | None
    end: datetime | None


def start_of(granularity: Granularity, at: datetime) -> datetime:
    """The start of the period that contains `at`, a time in UTC."""
    if granularity is Granularity.ALL:
        return BEGINNING
    hour = at.replace(minute=0, second=0, microsecond=0)
    if granularity is Granularity.HOUR:
        return hour
    day = hour.replace(hour=0)
    return day if granularity is Granularity.DAY else day.replace(day=1)


def next_start(granularity: Granularity, start: datetime) -> datetime:
    if granularity is Granularity.HOUR:
        return start + timedelta(hours=1)
    if granularity is Granularity.DAY:
        return start + timedelta(days=1)
    return start_of(Granularity.MONTH, start + timedelta(days=31))


def hour_from(since: datetime) -> datetime:
    """The first hour of a range: the one that contains its start."""
    return start_of(Granularity.HOUR, since)


def hour_to(until: datetime) -> datetime:
    """The end of a range's last hour: an hour that the range only touches counts as a whole."""
    return _round_up(Granularity.HOUR, until)


def _round_up(granularity: Granularity, at: datetime) -> datetime:
    start = start_of(granularity, at)
    return start if start == at else next_start(granularity, start)


def period_ranges(since: datetime | None, until: datetime | None) -> list[PeriodRange]:
    """What together covers the hours from `since` until `until` exactly once, in as few periods as possible."""
    if since is None and until is None:
        return [PeriodRange(Granularity.ALL, None, None)]
    return _period_ranges(
        Granularity.HOUR,
        None if since is None else hour_from(since),
        None if until is None else hour_to(until),
    )


def _period_ranges(
    granularity: Granularity, start: datetime | None, end: datetime | None
) -> list[PeriodRange]:
    if start is not None and end is not None and start >= end:
        return []
    if granularity is Granularity.MONTH:
        return [PeriodRange(granularity, start, end)]
    coarser = Granularity(granularity + 1)
    first = None if start is None else _round_up(coarser, start)
    last = None if end is None else start_of(coarser, end)
    if first is not None and last is not None and first >= last:
        return [PeriodRange(granularity, start, end)]
    edges = [PeriodRange(granularity, start, first), PeriodRange(granularity, last, end)]
    return [edge for edge in edges if edge.start != edge.end] + _period_ranges(coarser, first, last)
