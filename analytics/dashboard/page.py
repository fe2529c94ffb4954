"""Everything that the dashboard shows to a user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboard import orders, trust, work
from analytics.dashboard.context import may_open_orders, read_context, station_lookup, visible_kitchens
from analytics.dashboard.figures import figures
from analytics.dashboard.filters import CUSTOM, RANGES, parse
from analytics.dashboard.formatting import duration
from analytics.dashboard.now import KitchenNow, LateOrder, Now, read_now
from analytics.dashboard.panel import Facts, Panel
from orders import clock

ORDER_LIST = "admin:orders_order_changelist"
ORDER_PAGE = "admin:orders_order_change"


@dataclass(frozen=True)
class Tile:
    """A number of now; `look` is late or calm, `url` lists its orders."""

    label: str
    value: str
    url: str = ""
    look: str = ""
    text: str = ""


class Dashboard:
    """Reads everything when created, in at most eight statements. A wrong query raises nothing: see
    `DashboardFilter.errors`."""

    def __init__(self, user: Any, query: Mapping[str, str]) -> None:
        shown = read_context()
        visible = visible_kitchens(user, shown.kitchens)
        self.may_open = may_open_orders(user)
        self.filters = filters = parse(
            query, visible, clock.now(), sees_all=len(visible) == len(shown.kitchens)
        )
        self.brand_names = {brand.id: brand.name for brand in shown.brands}
        self.kitchen_names = {kitchen.slug: kitchen.name for kitchen in visible}
        self.stations_of = station_lookup(filters.slugs)
        self.figures = figures(filters, shown.cursor)
        self.age = trust.age(filters, shown.refreshed_at) if visible else None

    @cached_property
    def panels(self) -> dict[str, Panel | Facts]:
        filters, values = self.filters, self.figures
        received, preparing, ready = work.times(filters, values)
        slowest, most_ordered = work.products(values, self.brand_names, self.stations_of)
        panels: Sequence[Panel | Facts] = (
            orders.headline(filters, values),
            orders.rush(filters, values),
            orders.weekdays(filters, values),
            orders.days(filters, values),
            received,
            preparing,
            ready,
            slowest,
            most_ordered,
            work.stations(values, self.stations_of, self.kitchen_names),
            orders.brands(filters, values, self.brand_names),
            orders.channels(filters, values),
            orders.customers(filters, values),
            trust.trust(filters, values),
        )
        return {panel.id: panel for panel in panels}

    def context(self) -> dict[str, Any]:
        filters, panels = self.filters, self.panels
        now = read_now(filters, self.stations_of)
        return {
            "filters": filters,
            "age": self.age,
            "ranges": self._ranges(),
            "brands": self._brands(),
            "zones": list(filters.zones),
            "query": self._query(),
            "tiles": self._tiles(now.total, filters.kitchen),
            "kitchens_now": self._kitchens(now),
            "stations_now": now.stations,
            "late_orders": [self._late(late) for late in now.worst] if self.may_open else [],
            "late_count": now.total.late,
            "late_url": self._to(late="yes") if self.may_open else "",
            "summary": panels["summary"],
            "rush": panels["rush"],
            "weekdays": panels["weekdays"],
            "charts": [panels[name] for name in ("days", "customers")],
            "times": [panels[f"time-{name}"] for name in ("received", "preparing", "ready")],
            "products": [panels[name] for name in ("slowest", "most-ordered", "stations")],
            "shares": [panels[name] for name in ("brands", "channels")],
            "trust": panels["trust"],
            "bursts": trust.bursts(filters, self.figures),
        }

    def _query(self) -> str:
        """The filters as a query, for the links to the CSV."""
        query = {"range": self.filters.range, "kitchen": self.filters.kitchen, "brand": self.filters.brand}
        if self.filters.range == CUSTOM:
            query |= {"from": self.filters.days.first.isoformat(), "to": self.filters.days.last.isoformat()}
        return urlencode({key: value for key, value in query.items() if value})

    def _ranges(self) -> list[tuple[str, str, bool]]:
        """Value, title and whether it is the chosen one."""
        return [(key, str(title), key == self.filters.range) for key, (_days, title) in RANGES.items()]

    def _brands(self) -> list[tuple[str, str]]:
        """Id and name: the brands that exist, then others that have orders."""
        ids = {brand for brand, _channel in self.figures.shares} | {self.filters.brand} - {""}
        named = [(id_, name) for id_, name in self.brand_names.items()]
        return named + [(id_, id_) for id_ in sorted(ids - self.brand_names.keys())]

    def _to(self, **query: str) -> str:
        if not self.may_open:
            return ""
        chosen = {"kitchen": self.filters.kitchen, "brand": self.filters.brand}
        return reverse(ORDER_LIST, query={**{key: value for key, value in chosen.items() if value}, **query})

    def _tiles(self, now: KitchenNow, kitchen: str) -> list[Tile]:
        place = {"kitchen": kitchen} if kitchen else {}
        return [
            Tile(_("Late now"), str(now.late), self._to(late="yes", **place), "late" if now.late else "calm"),
            Tile(
                _("To make"),
                str(now.received + now.preparing),
                self._to(status="open", **place),
                text=_("%(received)d received, %(preparing)d in preparation")
                % {"received": now.received, "preparing": now.preparing},
            ),
            Tile(
                _("Ready"),
                str(now.ready),
                self._to(status="3", **place),
                text=_("longest %s") % duration(now.waiting) if now.ready else "",
            ),
            Tile(_("Oldest to make"), duration(now.oldest), text=_("since it appeared on the wall")),
            Tile(
                _("For later"), str(now.later), self._to(status="1", **place), text=_("not on the wall yet")
            ),
        ]

    def _kitchens(self, now: Now) -> list[tuple[str, list[Tile]]]:
        """Name and tiles of each kitchen, where there are several."""
        if len(now.kitchens) < 2:
            return []
        return [(each.name, self._tiles(each, each.slug)) for each in now.kitchens]

    def _late(self, late: LateOrder) -> dict[str, Any]:
        order = late.order
        return {
            "number": order.number,
            "url": reverse(ORDER_PAGE, args=[order.id]),
            "by": duration(late.by),
            "brand": self.brand_names.get(order.brand, order.brand),
            "stations": ", ".join(late.stations),
            "kitchen": self.kitchen_names[order.kitchen] if len(self.filters.kitchens) > 1 else "",
        }
