"""The dashboard's filters: days, a kitchen, a brand."""

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.dashboard.days import DAY, Days, local_hour
from orders.models import Kitchen

# Figures are stored by hour; a longer range would read too many of them.
MOST_DAYS: Final = 400
RANGES: Final[dict[str, tuple[int, str | Promise]]] = {
    "today": (1, gettext_lazy("Today")),
    "yesterday": (1, gettext_lazy("Yesterday")),
    "7": (7, gettext_lazy("7 days")),
    "28": (28, gettext_lazy("28 days")),
    "90": (90, gettext_lazy("90 days")),
}
CUSTOM: Final = "custom"
# Fewer days show no trend.
TREND_DAYS: Final = 14
HEAT_DAYS: Final = 28
WEEKS_BEFORE: Final = 4


@dataclass(frozen=True)
class DashboardFilter:
    """`kitchens` are those to add up: the chosen one, else all that the user may see."""

    now: datetime
    range: str
    days: Days
    kitchens: tuple[Kitchen, ...]
    all_kitchens: tuple[Kitchen, ...]
    # Whether `all_kitchens` are all that exist: then new customers can be counted across kitchens.
    sees_all: bool
    kitchen: str = ""
    brand: str = ""
    errors: tuple[str, ...] = ()

    @cached_property
    def slugs(self) -> list[str]:
        return [kitchen.slug for kitchen in self.kitchens]

    @cached_property
    def zones(self) -> dict[str, list[str]]:
        """Time zone → slugs of its kitchens."""
        by_zone = sorted(self.kitchens, key=lambda kitchen: (kitchen.time_zone, kitchen.slug))
        return {
            zone: [kitchen.slug for kitchen in of_zone]
            for zone, of_zone in groupby(by_zone, lambda each: each.time_zone)
        }

    @cached_property
    def zone_of(self) -> dict[str, zoneinfo.ZoneInfo]:
        return {kitchen.slug: zoneinfo.ZoneInfo(kitchen.time_zone) for kitchen in self.kitchens}

    @property
    def today(self) -> date:
        return _today(self.now, self.kitchens)

    @property
    def weeks(self) -> int:
        """How many weeks back the days to compare with are: the same weekdays, without overlap."""
        return -(-len(self.days) // 7)

    @property
    def trend(self) -> Days:
        """The chosen days, or more where they are few."""
        return Days(min(self.days.first, self.days.last - (TREND_DAYS - 1) * DAY), self.days.last)

    @property
    def heat(self) -> Days:
        """Whole days only: hours of today still to come are not quiet hours."""
        last = min(self.days.last, self.today - DAY)
        return Days(min(self.days.first, last - (HEAT_DAYS - 1) * DAY), last)

    @property
    def hours_needed(self) -> Days:
        """All days whose orders by hour are read."""
        before = self.days.back(7 * (WEEKS_BEFORE if len(self.days) == 1 else self.weeks))
        rush = self.days.last - 7 * WEEKS_BEFORE * DAY
        return Days(min(before.first, rush, self.trend.first, self.heat.first), self.days.last)

    @property
    def key(self) -> tuple[object, ...]:
        """What the figures depend on, besides the rollups."""
        zones = tuple((zone, *slugs) for zone, slugs in self.zones.items())
        return (self.days.first, self.days.last, self.today, zones, self.kitchen, self.brand, self.sees_all)

    @property
    def hour_now(self) -> int:
        """The current hour of today, where it is latest."""
        zones = self.zone_of.values() or [zoneinfo.ZoneInfo("UTC")]
        return max(self.now.astimezone(zone).replace(tzinfo=None) for zone in zones).hour

    @property
    def running(self) -> tuple[date, int]:
        """The current local day and hour, where they are earliest: all before has ended in every kitchen, as whole
        hours of UTC, which the rollups count by."""
        hour = self.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        zones = self.zone_of.values() or [zoneinfo.ZoneInfo("UTC")]
        return min(local_hour(hour, zone) for zone in zones)

    def on(self, day: date) -> "DashboardFilter":
        return replace(self, days=Days(day, day))


def parse(
    query: Mapping[str, str],
    kitchens: Sequence[Kitchen],
    now: datetime,
    *,
    sees_all: bool,
) -> DashboardFilter:
    """The filters in a page's query. Wrong values are named in `errors`, and today is shown instead."""
    errors: list[str] = []
    slug, chosen = query.get("kitchen", ""), tuple(kitchens)
    if slug:
        chosen = tuple(kitchen for kitchen in kitchens if kitchen.slug == slug)
        if not chosen:
            errors.append(_("There is no such kitchen, or you may not see it; all are shown."))
            slug, chosen = "", tuple(kitchens)
    today = _today(now, chosen)
    name, days = _days(query, today, errors)
    return DashboardFilter(
        now=now,
        range=name,
        days=days,
        kitchens=chosen,
        all_kitchens=tuple(kitchens),
        sees_all=sees_all,
        kitchen=slug,
        brand=query.get("brand", "").replace("\0", "")[:128],
        errors=tuple(errors),
    )


def _today(now: datetime, kitchens: Sequence[Kitchen]) -> date:
    """Where it is latest: of kitchens around the world, the day starts first in one."""
    zones = {kitchen.time_zone for kitchen in kitchens} or {"UTC"}
    return max(now.astimezone(zoneinfo.ZoneInfo(zone)).date() for zone in zones)


def _days(query: Mapping[str, str], today: date, errors: list[str]) -> tuple[str, Days]:
    name = query.get("range", "")
    if not name and (query.get("from") or query.get("to")):
        name = CUSTOM
    if name == CUSTOM:
        typed_days = _custom(query, today, errors)
        return (CUSTOM, typed_days) if typed_days else ("today", Days(today, today))
    if name not in RANGES:
        if name:
            errors.append(
                _("There is no range “%(range)s”; today is shown. Choose one of these, or enter the days.")
                % {"range": name[:40]}
            )
        name = "today"
    last = today - DAY if name == "yesterday" else today
    days = Days(last - (RANGES[name][0] - 1) * DAY, last)
    # The form sends the days that it showed along with the name of their range: different days were typed in.
    typed = query.get("from", ""), query.get("to", "")
    if any(typed) and typed != (days.first.isoformat(), days.last.isoformat()):
        typed_days = _custom(query, today, errors)
        return (CUSTOM, typed_days) if typed_days else ("today", Days(today, today))
    return name, days


def _custom(query: Mapping[str, str], today: date, errors: list[str]) -> Days | None:
    days: list[date] = []
    for field in ("from", "to"):
        text = query.get(field, "")
        try:
            day = date.fromisoformat(text) if text else today
        except ValueError:
            day = date.min
        if not 2000 <= day.year <= 2100:
            errors.append(
                _("“%(text)s” is not a date; write it like 2026-05-31. Today is shown.") % {"text": text[:40]}
            )
            return None
        days.append(min(day, today))
    first, last = days
    if first > last:
        errors.append(_("The first day is after the last; today is shown."))
        return None
    if (last - first).days >= MOST_DAYS:
        errors.append(_("At most %d days can be shown; the latest are.") % MOST_DAYS)
        first = last - (MOST_DAYS - 1) * DAY
    return Days(first, last)
