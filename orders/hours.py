"""Whether a kitchen is open, and until when. Shown to people only: orders are accepted at any hour, because their
channel has sold them already."""

import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from orders.models import ClosedDays, Kitchen, OpeningHours

DAYS_OF_WEEK: Final = 7
WEEK: Final = DAYS_OF_WEEK * 24 * 60
DAY: Final = timedelta(days=1)
# How far ahead the next opening is searched; it is unknown after longer closed days.
LOOK_AHEAD: Final = timedelta(days=60)


class Shift(NamedTuple):
    """From when to when a kitchen is open, in UTC; the end is not part of it."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """`until`: when it closes where it is open, else when it opens next; None where that isn't known. `reason`: why it
    is closed today, in the manager's words."""

    is_open: bool
    until: datetime | None
    reason: str = ""


def opening_of(
    kitchen: Kitchen, hours: Sequence[OpeningHours], closed: Sequence[ClosedDays], at: datetime
) -> Opening | None:
    """None where the kitchen has no hours. `at` is aware."""
    if not hours:
        return None
    zone = kitchen.zone
    today = at.astimezone(zone).date()
    day, end = today - DAY, None
    # Hours may go on into the next ones: open until the last of them ends.
    while day <= today + LOOK_AHEAD:
        for shift in _shifts(day, hours, closed, zone):
            if end is None:
                if shift.begins <= at < shift.ends:
                    end = shift.ends
                elif shift.begins > at:
                    return Opening(False, shift.begins, _reason(today, closed))
            elif shift.begins <= end:
                end = max(end, shift.ends)
            else:
                return Opening(True, end)
        # What begins tomorrow at the earliest can't go on from hours that ended today.
        if end is not None and end < _instant(day + DAY, time.min, zone):
            return Opening(True, end)
        day += DAY
    # Never closed, or closed for longer than LOOK_AHEAD.
    return Opening(end is not None, None, "" if end is not None else _reason(today, closed))


def _shifts(
    day: date, hours: Iterable[OpeningHours], closed: Iterable[ClosedDays], zone: zoneinfo.ZoneInfo
) -> list[Shift]:
    if any(each.first <= day <= each.last for each in closed):
        return []
    return sorted(
        Shift(
            _instant(day, each.opens, zone),
            _instant(day + DAY if each.closes <= each.opens else day, each.closes, zone),
        )
        for each in hours
        if each.weekday == day.weekday()
    )


def _instant(day: date, clock: time, zone: zoneinfo.ZoneInfo) -> datetime:
    """A local time in UTC. Of an hour that occurs twice, the first; a skipped time by the offset before the change."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _reason(today: date, closed: Iterable[ClosedDays]) -> str:
    return next((each.reason for each in closed if each.first <= today <= each.last), "")


def overlapping(hours: Sequence[OpeningHours]) -> tuple[OpeningHours, OpeningHours] | None:
    """Two intervals of the week that share a minute, the later one second; Sunday's may reach into Monday."""
    spans = sorted(((_minute(each), _length(each), each) for each in hours), key=lambda span: span[:2])
    for number, (begins, length, each) in enumerate(spans):
        following = spans[(number + 1) % len(spans)]
        gap = (following[0] - begins) % WEEK if len(spans) > 1 else WEEK
        if gap < length:
            return each, following[2]
    return None


def _minute(hours: OpeningHours) -> int:
    """Of the week, from Monday 00:00 on."""
    return hours.weekday * 24 * 60 + hours.opens.hour * 60 + hours.opens.minute


def _length(hours: OpeningHours) -> int:
    minutes = (hours.closes.hour - hours.opens.hour) * 60 + hours.closes.minute - hours.opens.minute
    return minutes if minutes > 0 else minutes + 24 * 60


def describe_time(until: datetime, kitchen: Kitchen, at: datetime, *, is_open: bool = False) -> str:
    """When that is: the time today, with the day of the week within a week, else with the date."""
    local, today = until.astimezone(kitchen.zone), at.astimezone(kitchen.zone)
    days = (local.date() - today.date()).days
    # Hours past midnight are still of this evening; those that go on through tomorrow name the day.
    if days == 0 or (is_open and until - at < DAY):
        return date_format(local, "H:i")
    return date_format(local, "D H:i" if days < DAYS_OF_WEEK else f"{_('j M')} H:i")
