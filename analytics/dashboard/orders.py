"""Panels about how many orders: headline, rush, weekdays, days, brands, channels, customers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.figures import (
    Compared,
    Figures,
    by_day,
    compared,
    heat,
    of_days,
    same_weekdays,
    total,
)
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.panel import Column, Fact, Facts, Panel
from analytics.dashboard.reads import Sums

OPENING_HOURS = range(10, 22)


def part(number: float, whole: float) -> float | None:
    return number / whole if whole else None


def no_orders() -> str:
    return _("No orders in this range yet.")


def before_words(question: DashboardFilter, days_before: tuple[date, ...] | list[date]) -> str:
    """What the days are held against: “average of the last 4 Wednesdays”, “4 weeks earlier”."""
    if not days_before:
        return ""
    if len(question.days) > 1:
        return formatting.days(*days_before)
    if len(days_before) == 1:
        return formatting.day(days_before[0])
    return _("average of the last %(number)d %(weekdays)s") % {
        "number": len(days_before),
        "weekdays": formatting.WEEKDAYS[days_before[0].weekday()],
    }


def headline(question: DashboardFilter, figures: Figures) -> Facts:
    now, against = of_days(figures.cells, question.days), compared(question, figures.cells)
    ended, before = against.now, against.before if against.days_before else None

    def rate(name: str, of: Sums | None) -> float | None:
        return None if of is None else part(getattr(of, name), of.orders)

    facts = [
        Fact("orders", _("Orders"), "count", now.orders, before and before.orders),
        Fact("lateShare", _("Late"), "share", rate("late", now), rate("late", before), share=None),
        Fact("cancelledShare", _("Cancelled"), "share", rate("cancelled", now), rate("cancelled", before)),
        Fact(
            "avgPickupWaitSeconds",
            _("Wait for pickup, average"),
            "seconds",
            _wait(now),
            _wait(before) if before else None,
        ),
        Fact("itemsPerOrder", _("Items per order"), "decimal", rate("items", now), rate("items", before)),
    ]
    if against.until is not None and before is not None and ended.orders != now.orders:
        facts[0] = Fact(
            "orders",
            _("Orders"),
            "count",
            now.orders,
            before.orders,
            text=_("%(number)s until %(hour)s")
            % {"number": formatting.count(ended.orders), "hour": formatting.hour(against.until)},
        )
    return Facts(
        "summary",
        formatting.days(question.days.first, question.days.last),
        _against(question, against),
        facts,
    )


def _against(question: DashboardFilter, against: Compared) -> str:
    if not against.days_before:
        return _("There are no orders on the same weekdays before to hold it against.")
    text = before_words(question, against.days_before)
    if against.until is None:
        return _("Before: %s.") % text
    return _("Before: %(days)s, until %(hour)s.") % {"days": text, "hour": formatting.hour(against.until)}


def _wait(sums: Sums) -> float | None:
    return part(sums.pickup_micros / 1_000_000, sums.pickups)


def rush(question: DashboardFilter, figures: Figures) -> Panel:
    day = question.days.last
    before = same_weekdays(day, figures.cells)
    hours_now = {hour: sums.orders for (of, hour), sums in figures.cells.items() if of == day}
    averages: dict[int, float] = {}
    for (of, hour), sums in figures.cells.items():
        if of in before:
            averages[hour] = averages.get(hour, 0) + sums.orders / len(before)
    busy = [hour for hour in (*hours_now, *averages) if hours_now.get(hour) or averages.get(hour)]
    shown = range(min(busy), max(busy) + 1) if busy else OPENING_HOURS
    # What is still to come is no hour without orders.
    is_today = day == question.today
    ahead = [is_today and hour > question.hour_now for hour in shown]
    columns = [
        Column(
            "orders",
            _("Orders"),
            "count",
            [None if later else hours_now.get(hour, 0) for hour, later in zip(shown, ahead, strict=True)],
            "now",
        )
    ]
    if before:
        title = before_words(question.on(day), before)
        values = [averages.get(hour, 0.0) for hour in shown]
        columns.append(
            Column("before", title[:1].upper() + title[1:], "decimal", values, "before", line=True)
        )
    return Panel(
        "rush",
        _("Today by hour") if is_today else _("%s by hour") % formatting.day(day),
        _("Orders by the hour in which they came."),
        "hour",
        _("Hour"),
        [formatting.hour(hour) for hour in shown],
        [formatting.hour(hour) for hour in shown],
        columns,
        "bars",
        empty="" if busy else no_orders(),
    )


@dataclass(frozen=True)
class HeatPanel(Panel):
    """A table whose cells are coloured: it is its own chart."""

    levels: tuple[tuple[int, ...], ...] = ()

    @property
    def coloured(self) -> list[tuple[str, list[tuple[str, int]]]]:
        return [
            (name, list(zip(texts, levels, strict=True)))
            for (name, texts), levels in zip(self.table, self.levels, strict=True)
        ]


def weekdays(question: DashboardFilter, figures: Figures) -> HeatPanel:
    found = heat(question, figures.cells)
    hours = sorted({hour for _day, hour in found.average})
    shown = range(hours[0], hours[-1] + 1) if hours else OPENING_HOURS
    most = max(found.average.values(), default=0) or 1
    columns = [
        Column(
            formatting.hour(hour),
            f"{hour:02d}",
            "decimal",
            [found.average.get((day, hour), 0.0) for day in range(7)],
        )
        for hour in shown
    ]
    levels = tuple(
        tuple(round(9 * found.average.get((day, hour), 0) / most) for hour in shown) for day in range(7)
    )
    names = formatting.weekday_names()
    return HeatPanel(
        "weekdays",
        _("When the rush is"),
        _("Orders in an average hour, %s.") % formatting.days(found.days.first, found.days.last)
        if found.days
        else "",
        "weekday",
        _("Weekday"),
        [str(day) for day in range(1, 8)],
        names,
        columns,
        empty="" if found.days else no_orders(),
        levels=levels,
    )


def days(question: DashboardFilter, figures: Figures) -> Panel:
    found = by_day(figures.cells, question.trend)
    sums = list(found.values())
    return Panel(
        "days",
        _("Orders by day"),
        _("Late: ready after it was due."),
        "day",
        _("Day"),
        [day.isoformat() for day in found],
        [formatting.day(day) for day in found],
        [
            Column("orders", _("Orders"), "count", [each.orders for each in sums]),
            Column("notLate", _("Not late"), "count", [each.orders - each.late for each in sums], "now"),
            Column("late", _("Late"), "count", [each.late for each in sums], "bad"),
            Column("lateShare", _("Late share"), "share", [part(each.late, each.orders) for each in sums]),
            Column("cancelled", _("Cancelled"), "count", [each.cancelled for each in sums]),
        ],
        "stacked",
        empty="" if any(each.orders for each in sums) else no_orders(),
    )


def brands(question: DashboardFilter, figures: Figures, names: Mapping[str, str]) -> Panel:
    return _shares(
        "brands",
        _("Brands: late and cancelled"),
        "brand",
        _("Brand"),
        figures,
        0,
        lambda id_: names.get(id_, id_),
    )


def channels(question: DashboardFilter, figures: Figures) -> Panel:
    return _shares(
        "channels",
        _("Channels: late and cancelled"),
        "channel",
        _("Channel"),
        figures,
        1,
        lambda name: name or _("not named"),
    )


def _shares(
    id_: str, title: str, key: str, row_title: str, figures: Figures, place: int, name: Callable[[str], str]
) -> Panel:
    keys = {both[place] for both in figures.shares}
    found = {key: total(sums for both, sums in figures.shares.items() if both[place] == key) for key in keys}
    rows = sorted(found.items(), key=lambda row: (-row[1].orders, row[0]))
    sums = [each for _key, each in rows]
    return Panel(
        id_,
        title,
        _("Share of the orders that came in the chosen days."),
        key,
        row_title,
        [key for key, _sums in rows],
        [name(key) for key, _sums in rows],
        [
            Column("orders", _("Orders"), "count", [each.orders for each in sums]),
            Column("late", _("Late"), "count", [each.late for each in sums]),
            Column(
                "lateShare", _("Late share"), "share", [part(each.late, each.orders) for each in sums], "bad"
            ),
            Column("cancelled", _("Cancelled"), "count", [each.cancelled for each in sums]),
            Column(
                "cancelledShare",
                _("Cancelled share"),
                "share",
                [part(each.cancelled, each.orders) for each in sums],
                "gone",
            ),
        ],
        "across",
        empty="" if rows else no_orders(),
    )


def customers(question: DashboardFilter, figures: Figures) -> Panel:
    found = by_day(figures.cells, question.trend)
    first = [min(figures.newcomers.get(day, 0), sums.orders) for day, sums in found.items()]
    repeat = [sums.orders - new for new, sums in zip(first, found.values(), strict=True)]
    whole = of_days(figures.cells, question.days).orders
    new = min(sum(number for day, number in figures.newcomers.items() if day in question.days), whole)
    text = _(
        "%(first)s first orders and %(repeat)s of customers who had ordered before, in the chosen days."
    ) % {
        "first": formatting.count(new),
        "repeat": formatting.count(whole - new),
    }
    return Panel(
        "customers",
        _("New and returning customers"),
        text,
        "day",
        _("Day"),
        [day.isoformat() for day in found],
        [formatting.day(day) for day in found],
        [
            Column("repeatOrders", _("Returning"), "count", repeat, "now"),
            Column("firstOrders", _("First order"), "count", first, "new"),
        ],
        "stacked",
        empty="" if any(sums.orders for sums in found.values()) else no_orders(),
    )
