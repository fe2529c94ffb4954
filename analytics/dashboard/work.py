"""Panels about the work: time in each status, products, stations."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.context import StationLookup
from analytics.dashboard.figures import Figures, percentile_seconds
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.orders import no_orders
from analytics.dashboard.panel import Column, Panel
from analytics.dashboard.reads import Buckets, Product, merge
from orders.statuses import PREPARING, READY, RECEIVED, OrderStatus

MOST_PRODUCTS: Final = 10
# With fewer times the median is chance.
FEWEST_TIMES: Final = 5


def median_title() -> str:
    return _("Half took at most")


def percentile_title() -> str:
    return _("9 of 10 took at most")


def times(filters: DashboardFilter, figures: Figures) -> list[Panel]:
    """One for each status that an order passes through, by day."""
    texts = {
        RECEIVED: _("From creation until somebody started; orders for later wait here."),
        PREPARING: _("From start to ready."),
        READY: _("From ready to picked up."),
    }
    return [_time(filters, figures, status, text) for status, text in texts.items()]


def _time(filters: DashboardFilter, figures: Figures, status: int, text: str) -> Panel:
    days = list(filters.trend)
    buckets = [figures.times.get((day, status), {}) for day in days]
    medians, p90s = zip(*(percentile_seconds(each) for each in buckets), strict=True)
    name = OrderStatus(status).name.lower()
    return Panel(
        f"time-{name}",
        _("Time in “%s”") % OrderStatus(status).label,
        text,
        "day",
        _("Day"),
        [day.isoformat() for day in days],
        [formatting.day(day) for day in days],
        [
            Column("p50Seconds", median_title(), "seconds", medians, "now", line=True),
            Column("p90Seconds", percentile_title(), "seconds", p90s, "before", line=True),
            Column("count", _("Times"), "count", [sum(each.values()) for each in buckets]),
        ],
        "lines",
        empty="" if any(buckets) else _("Nothing has left this status in these days."),
    )


@dataclass
class _Work:
    """Orders and times of a product, or of a station's products."""

    name: str = ""
    brand: str = ""
    orders: int = 0
    buckets: Buckets = field(default_factory=dict)
    stations: set[str] = field(default_factory=set)

    def add(self, product: Product) -> None:
        self.orders += product.orders
        merge(self.buckets, product.buckets)

    @property
    def count(self) -> int:
        return sum(self.buckets.values())

    @cached_property
    def percentiles(self) -> list[float | None]:
        return percentile_seconds(self.buckets)


def products(figures: Figures, brands: Mapping[str, str], stations_of: StationLookup) -> list[Panel]:
    """The slowest and the most ordered, over all chosen kitchens."""
    by_product: defaultdict[tuple[str, str], _Work] = defaultdict(_Work)
    for product in figures.products:
        work = by_product[product.brand, product.plu]
        work.name, work.brand = product.name, brands.get(product.brand, product.brand)
        work.add(product)
        work.stations.update(stations_of(product.kitchen, product.plu))
    many = [(key, work) for key, work in by_product.items() if work.count >= FEWEST_TIMES]
    slow = sorted(many, key=lambda each: (-(each[1].percentiles[0] or 0), each[0]))[:MOST_PRODUCTS]
    sold = [(key, work) for key, work in by_product.items() if work.orders]
    most = sorted(sold, key=lambda each: (-each[1].orders, each[0]))[:MOST_PRODUCTS]
    none_slow = "" if slow else _("No product got ready %d times in these days.") % FEWEST_TIMES
    return [
        _products("slowest", _("Slowest products"), _ready_text(), slow, by_time=True, empty=none_slow),
        _products(
            "most-ordered",
            _("Most ordered products"),
            _("Orders that have the product, in the chosen days."),
            most,
            by_time=False,
            empty="" if most else no_orders(),
        ),
    ]


def _ready_text() -> str:
    return _("From order to ready; orders for later count from 20 minutes before they are due.")


def _products(
    id_: str, title: str, text: str, rows: list[tuple[tuple[str, str], _Work]], *, by_time: bool, empty: str
) -> Panel:
    works = [each for _key, each in rows]
    medians = [each.percentiles[0] for each in works]
    p90s = [each.percentiles[1] for each in works]
    orders = [each.orders for each in works]
    return Panel(
        id_,
        title,
        text,
        "plu",
        _("Product"),
        [plu for (_brand, plu), _made in rows],
        [each.name for each in works],
        [
            Column("name", "", "text", [each.name for each in works]),
            Column("brand", _("Brand"), "text", [each.brand for each in works]),
            Column("station", _("Station"), "text", [", ".join(sorted(each.stations)) for each in works]),
            Column("orders", _("Orders"), "count", orders, "" if by_time else "now"),
            Column("p50Seconds", median_title(), "seconds", medians, "now" if by_time else ""),
            Column("p90Seconds", percentile_title(), "seconds", p90s, "before" if by_time else ""),
        ],
        "across",
        empty=empty,
    )


def stations(figures: Figures, stations_of: StationLookup, kitchens: Mapping[str, str]) -> Panel:
    """What each station makes and how long it takes. An item of several stations counts for each."""
    by_station: defaultdict[tuple[str, str], _Work] = defaultdict(_Work)
    for product in figures.products:
        for name in stations_of(product.kitchen, product.plu) or ("",):
            by_station[product.kitchen, name].add(product)
    rows = sorted(by_station.items(), key=lambda row: (row[0][0], row[0][1] == "", row[0][1]))
    works = [each for _key, each in rows]
    several = len({kitchen for kitchen, _name in by_station}) > 1

    def title(key: tuple[str, str]) -> str:
        station = key[1] or _("No station")
        return f"{kitchens.get(key[0], key[0])}: {station}" if several else station

    return Panel(
        "stations",
        _("Stations"),
        _ready_text(),
        "station",
        _("Station"),
        [f"{kitchen}/{station}" for (kitchen, station), _each in rows],
        [title(key) for key, _each in rows],
        [
            Column("items", _("Items"), "count", [each.orders for each in works]),
            Column("p50Seconds", median_title(), "seconds", [each.percentiles[0] for each in works], "now"),
            Column(
                "p90Seconds", percentile_title(), "seconds", [each.percentiles[1] for each in works], "before"
            ),
        ],
        "across",
        empty="" if any(each.orders or each.buckets for each in works) else no_orders(),
    )
