"""Panels about how many orders: headline, rush, weekdays, days, brands, channels, customers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.figures import (
    Comparison,
    Figures,
    by_day,
    compare,
    heat,
    of_days,
    same_weekdays,
    total,
)
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.panel import Column, Fact, Facts, Panel
from analytics.dashboard.reads import Sums

OPENING_HOURS = range(10, 22)


def ratio(number: float, whole: float) -> float | None:
    return number / whole if whole else None


def no_orders() -> str:
    return _("No orders in this range yet.")


def describe_days_before(filters: DashboardFilter, days_before: tuple[date, ...] | list[date]) -> str:
    """The days to compare with: “average of the last 4 Wednesdays”, “Mon 5 Oct – Sun 11 Oct”."""
    if not days_before:
        return ""
    if len(filters.days) > 1:
        return formatting.days(*days_before)
    if len(days_before) == 1:
        return formatting.day(days_before[0])
    return _("average of the last %(number)d %(weekdays)s") % {
        "number": len(days_before),
        "weekdays": formatting.WEEKDAYS[days_before[0].weekday()],
    }


def headline(filters: DashboardFilter, figures: Figures) -> Facts:
    now, comparison = of_days(figures.cells, filters.days), compare(filters, figures.cells)
    ended, before = comparison.now, comparison.before if comparison.days_before else None

    def rate(name: str, of: Sums | None) -> float | None:
        return None if of is None else ratio(getattr(of, name), of.orders)

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
    if comparison.until is not None and before is not None and ended.orders != now.orders:
        facts[0] = Fact(
            "orders",
            _("Orders"),
            "count",
            now.orders,
            before.orders,
            text=_("%(number)s until %(hour)s")
            % {"number": formatting.count(ended.orders), "hour": formatting.hour(comparison.until)},
        )
    return Facts(
        "summary",
        formatting.days(filters.days.first, filters.days.last),
        _describe(filters, comparison),
        facts,
    )


def _describe(filters: DashboardFilter, comparison: Comparison) -> str:
    if not comparison.days_before:
        return _("No orders on the same weekdays before to compare with.")
    text = describe_days_before(filters, comparison.days_before)
    if comparison.until is None:
        return _("Before: %s.") % text
    return _("Before: %(days)s, until %(hour)s.") % {"days": text, "hour": formatting.hour(comparison.until)}


def _wait(sums: Sums) -> float | None:
    return ratio(sums.pickup_micros / 1_000_000, sums.pickups)


def rush(filters: DashboardFilter, figures: Figures) -> Panel:
    day = filters.days.last
    before = same_weekdays(day, figures.cells)
    hours_now = {hour: sums.orders for (of, hour), sums in figures.cells.items() if of == day}
    averages: dict[int, float] = {}
    for (of, hour), sums in figures.cells.items():
        if of in before:
            averages[hour] = averages.get(hour, 0) + sums.orders / len(before)
    busy = [hour for hour in (*hours_now, *averages) if hours_now.get(hour) or averages.get(hour)]
    shown = range(min(busy), max(busy) + 1) if busy else OPENING_HOURS
    # Hours still to come are not hours without orders.
    is_today = day == filters.today
    ahead = [is_today and hour > filters.hour_now for hour in shown]
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
        title = describe_days_before(filters.on(day), before)
        values = [averages.get(hour, 0.0) for hour in shown]
        columns.append(
            Column("before", title[:1].upper() + title[1:], "decimal", values, "before", line=True)
        )
    return Panel(
        "rush",
        _("Today by hour") if is_today else _("%s by hour") % formatting.day(day),
        _("Orders by the hour they were created."),
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
    """A table with coloured cells, which is its own chart."""

    levels: tuple[tuple[int, ...], ...] = ()

    @property
    def coloured(self) -> list[tuple[str, list[tuple[str, int]]]]:
        return [
            (name, list(zip(texts, levels, strict=True)))
            for (name, texts), levels in zip(self.table, self.levels, strict=True)
        ]


def weekdays(filters: DashboardFilter, figures: Figures) -> HeatPanel:
    average, open_days = heat(filters, figures.cells)
    hours = sorted({hour for _day, hour in average})
    shown = range(hours[0], hours[-1] + 1) if hours else OPENING_HOURS
    most = max(average.values(), default=0) or 1
    columns = [
        Column(
            formatting.hour(hour),
            f"{hour:02d}",
            "decimal",
            [average.get((day, hour), 0.0) for day in range(7)],
        )
        for hour in shown
    ]
    levels = tuple(tuple(round(9 * average.get((day, hour), 0) / most) for hour in shown) for day in range(7))
    names = formatting.weekday_names()
    return HeatPanel(
        "weekdays",
        _("When the rush is"),
        _("Orders in an average hour, %s.") % formatting.days(open_days.first, open_days.last)
        if open_days
        else "",
        "weekday",
        _("Weekday"),
        [str(day) for day in range(1, 8)],
        names,
        columns,
        empty="" if open_days else no_orders(),
        levels=levels,
    )


def days(filters: DashboardFilter, figures: Figures) -> Panel:
    sums_of = by_day(figures.cells, filters.trend)
    sums = list(sums_of.values())
    return Panel(
        "days",
        _("Orders by day"),
        _("Late: ready after it was due."),
        "day",
        _("Day"),
        [day.isoformat() for day in sums_of],
        [formatting.day(day) for day in sums_of],
        [
            Column("orders", _("Orders"), "count", [each.orders for each in sums]),
            Column("notLate", _("Not late"), "count", [each.orders - each.late for each in sums], "now"),
            Column("late", _("Late"), "count", [each.late for each in sums], "bad"),
            Column("lateShare", _("Late share"), "share", [ratio(each.late, each.orders) for each in sums]),
            Column("cancelled", _("Cancelled"), "count", [each.cancelled for each in sums]),
        ],
        "stacked",
        empty="" if any(each.orders for each in sums) else no_orders(),
    )


def brands(filters: DashboardFilter, figures: Figures, names: Mapping[str, str]) -> Panel:
    return _shares(
        "brands",
        _("Brands: late and cancelled"),
        "brand",
        _("Brand"),
        figures,
        0,
        lambda id_: names.get(id_, id_),
    )


def channels(filters: DashboardFilter, figures: Figures) -> Panel:
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
    by_key = {key: total(sums for both, sums in figures.shares.items() if both[place] == key) for key in keys}
    rows = sorted(by_key.items(), key=lambda row: (-row[1].orders, row[0]))
    sums = [each for _key, each in rows]
    return Panel(
        id_,
        title,
        _("Share of the orders created in the chosen days."),
        key,
        row_title,
        [key for key, _sums in rows],
        [name(key) for key, _sums in rows],
        [
            Column("orders", _("Orders"), "count", [each.orders for each in sums]),
            Column("late", _("Late"), "count", [each.late for each in sums]),
            Column(
                "lateShare", _("Late share"), "share", [ratio(each.late, each.orders) for each in sums], "bad"
            ),
            Column("cancelled", _("Cancelled"), "count", [each.cancelled for each in sums]),
            Column(
                "cancelledShare",
                _("Cancelled share"),
                "share",
                [ratio(each.cancelled, each.orders) for each in sums],
                "gone",
            ),
        ],
        "across",
        empty="" if rows else no_orders(),
    )


def customers(filters: DashboardFilter, figures: Figures) -> Panel:
    sums_of = by_day(figures.cells, filters.trend)
    first = [min(figures.newcomers.get(day, 0), sums.orders) for day, sums in sums_of.items()]
    repeat = [sums.orders - new for new, sums in zip(first, sums_of.values(), strict=True)]
    orders = of_days(figures.cells, filters.days).orders
    new = min(sum(number for day, number in figures.newcomers.items() if day in filters.days), orders)
    text = _(
        "%(first)s first orders and %(repeat)s of customers who had ordered before, in the chosen days."
    ) % {
        "first": formatting.count(new),
        "repeat": formatting.count(orders - new),
    }
    return Panel(
        "customers",
        _("New and returning customers"),
        text,
        "day",
        _("Day"),
        [day.isoformat() for day in sums_of],
        [formatting.day(day) for day in sums_of],
        [
            Column("repeatOrders", _("Returning"), "count", repeat, "now"),
            Column("firstOrders", _("First order"), "count", first, "new"),
        ],
        "stacked",
        empty="" if any(sums.orders for sums in sums_of.values()) else no_orders(),
    )
