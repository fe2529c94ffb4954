"""Panels about the work: time in each status, products, stations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.figures import Figures, percentile_seconds
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.orders import no_orders
from analytics.dashboard.panel import Column, Panel
from analytics.dashboard.reads import Buckets, Product, merge
from analytics.dashboard.stations import Makers
from orders.statuses import FIRST, PREPARING, READY, OrderStatus

MOST_PRODUCTS: Final = 10
# Of fewer times the median is chance.
FEWEST_TIMES: Final = 5


def half() -> str:
    return _("Half were at most")


def nine_of_ten() -> str:
    return _("9 of 10 were at most")


def times(question: DashboardFilter, figures: Figures) -> list[Panel]:
    """One for each status that an order passes through."""
    texts = {
        FIRST: _("Until somebody began, from when the order came; one for later waits here."),
        PREPARING: _("From beginning to ready."),
        READY: _("From ready to picked up."),
    }
    return [_time(question, figures, status, text) for status, text in texts.items()]


def _time(question: DashboardFilter, figures: Figures, status: int, text: str) -> Panel:
    days = list(question.trend)
    buckets = [figures.times.get((day, status), {}) for day in days]
    halves, nines = zip(*(percentile_seconds(each) for each in buckets), strict=True)
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
            Column("p50Seconds", half(), "seconds", halves, "now", line=True),
            Column("p90Seconds", nine_of_ten(), "seconds", nines, "before", line=True),
            Column("count", _("Times"), "count", [sum(each.values()) for each in buckets]),
        ],
        "lines",
        empty="" if any(buckets) else _("Nothing has left this status in these days."),
    )


@dataclass
class _Made:
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


def products(figures: Figures, brands: Mapping[str, str], makers: Makers) -> list[Panel]:
    """The slowest and the most ordered, over all kitchens asked for."""
    found: defaultdict[tuple[str, str], _Made] = defaultdict(_Made)
    for product in figures.products:
        made = found[product.brand, product.plu]
        made.name, made.brand = product.name, brands.get(product.brand, product.brand)
        made.add(product)
        made.stations.update(makers(product.kitchen, product.plu))
    many = [(key, made) for key, made in found.items() if made.count >= FEWEST_TIMES]
    slow = sorted(many, key=lambda each: (-(each[1].percentiles[0] or 0), each[0]))[:MOST_PRODUCTS]
    sold = [(key, made) for key, made in found.items() if made.orders]
    most = sorted(sold, key=lambda each: (-each[1].orders, each[0]))[:MOST_PRODUCTS]
    none_slow = "" if slow else _("No product got ready %d times in these days.") % FEWEST_TIMES
    return [
        _products("slowest", _("Slowest products"), _ready_words(), slow, by_time=True, empty=none_slow),
        _products(
            "most-ordered",
            _("Most ordered products"),
            _("Orders that have the product, in the chosen days."),
            most,
            by_time=False,
            empty="" if most else no_orders(),
        ),
    ]


def _ready_words() -> str:
    return _("From order to ready; one for later counts from 20 minutes before it is due.")


def _products(
    id_: str, title: str, text: str, rows: list[tuple[tuple[str, str], _Made]], *, by_time: bool, empty: str
) -> Panel:
    made = [each for _key, each in rows]
    halves = [each.percentiles[0] for each in made]
    nines = [each.percentiles[1] for each in made]
    orders = [each.orders for each in made]
    return Panel(
        id_,
        title,
        text,
        "plu",
        _("Product"),
        [plu for (_brand, plu), _made in rows],
        [each.name for each in made],
        [
            Column("name", "", "text", [each.name for each in made]),
            Column("brand", _("Brand"), "text", [each.brand for each in made]),
            Column("station", _("Station"), "text", [", ".join(sorted(each.stations)) for each in made]),
            Column("orders", _("Orders"), "count", orders, "" if by_time else "now"),
            Column("p50Seconds", half(), "seconds", halves, "now" if by_time else ""),
            Column("p90Seconds", nine_of_ten(), "seconds", nines, "before" if by_time else ""),
        ],
        "across",
        empty=empty,
    )


def stations(figures: Figures, makers: Makers, kitchens: Mapping[str, str]) -> Panel:
    """What each station makes and how long it takes. An item that several claim counts for each."""
    found: defaultdict[tuple[str, str], _Made] = defaultdict(_Made)
    for product in figures.products:
        for name in makers(product.kitchen, product.plu) or ("",):
            found[product.kitchen, name].add(product)
    rows = sorted(found.items(), key=lambda row: (row[0][0], row[0][1] == "", row[0][1]))
    made = [each for _key, each in rows]
    several = len({kitchen for kitchen, _name in found}) > 1

    def called(key: tuple[str, str]) -> str:
        station = key[1] or _("No station")
        return f"{kitchens.get(key[0], key[0])}: {station}" if several else station

    return Panel(
        "stations",
        _("Stations"),
        _ready_words(),
        "station",
        _("Station"),
        [f"{kitchen}/{station}" for (kitchen, station), _each in rows],
        [called(key) for key, _each in rows],
        [
            Column("items", _("Items"), "count", [each.orders for each in made]),
            Column("p50Seconds", half(), "seconds", [each.percentiles[0] for each in made], "now"),
            Column("p90Seconds", nine_of_ten(), "seconds", [each.percentiles[1] for each in made], "before"),
        ],
        "across",
        empty="" if _any(made) else no_orders(),
    )


def _any(made: Iterable[_Made]) -> bool:
    return any(each.orders or each.buckets for each in made)
