"""Numbers, durations and days in the user's language."""

import zoneinfo
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NO_VALUE: Final = "–"
type Number = float | int | None


def count(number: Number) -> str:
    return NO_VALUE if number is None else number_format(round(number), force_grouping=True)


def decimal(number: Number) -> str:
    """An average; from ten on without decimals."""
    if number is None or round(number, 1) >= 10:
        return count(number)
    return number_format(round(number, 1), 1)


def share(value: Number) -> str:
    """A share from 0 to 1, as per cent."""
    return (
        NO_VALUE if value is None else _("%(number)s%%") % {"number": number_format(round(value * 100, 1), 1)}
    )


def seconds(value: Number) -> str:
    """“42 s”, “4 min 10 s”, “2 h 05 min”, “3 d 4 h”: two units at most."""
    if value is None:
        return NO_VALUE
    whole = max(round(value), 0)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    if not hours:
        return _("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": rest}
    if hours < 48:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes_left}
    return _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}


def duration(time: timedelta | None) -> str:
    """One that still runs: whole minutes are enough."""
    if time is None:
        return NO_VALUE
    whole = time.total_seconds()
    return seconds(whole) if whole < 60 or whole >= 3600 else _("%(minutes)d min") % {"minutes": whole // 60}


FORMS: Final[dict[str, Callable[[Number], str]]] = {
    "count": count,
    "decimal": decimal,
    "share": share,
    "seconds": seconds,
}
# After “the last 4”; Finnish has the genitive singular here.
WEEKDAYS: Final = (
    gettext_lazy("Mondays"),
    gettext_lazy("Tuesdays"),
    gettext_lazy("Wednesdays"),
    gettext_lazy("Thursdays"),
    gettext_lazy("Fridays"),
    gettext_lazy("Saturdays"),
    gettext_lazy("Sundays"),
)


def day(at: date) -> str:
    """“Wed 25 Nov”."""
    return date_format(at, _("D j M"))


def weekday_names() -> list[str]:
    """From Monday on."""
    monday = date(2024, 1, 1)
    return [date_format(monday + timedelta(days=number), "D") for number in range(7)]


def days(first: date, last: date) -> str:
    return day(first) if first == last else f"{day(first)} – {day(last)}"


def hour(number: int) -> str:
    return f"{number:02d}:00"


def clock(at: datetime, zone: zoneinfo.ZoneInfo, *, with_day: bool = False) -> str:
    """“12:04 EET”."""
    local = at.astimezone(zone)
    return f"{day(local.date()) + ' ' if with_day else ''}{local:%H:%M %Z}"
