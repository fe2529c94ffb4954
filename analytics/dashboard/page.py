"""Everything that the dashboard shows to a user who asks a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.dashboard import access, orders, trust, work
from analytics.dashboard.context import read_setting
from analytics.dashboard.figures import figures
from analytics.dashboard.filters import CUSTOM, RANGES, parse
from analytics.dashboard.formatting import length
from analytics.dashboard.now import KitchenNow, LateOrder, Now, read_now
from analytics.dashboard.panel import Facts, Panel
from analytics.dashboard.stations import makers_of
from orders import clock

ORDER_LIST = "admin:orders_order_changelist"
ORDER_PAGE = "admin:orders_order_change"


@dataclass(frozen=True)
class Tile:
    """A number of now; `look` is late or calm, `url` leads to the orders behind it."""

    label: str
    value: str
    url: str = ""
    look: str = ""
    text: str = ""


class Dashboard:
    """Reads all of it when made: at most eight statements. Raises nothing for odd questions (see `Question.errors`)."""

    def __init__(self, user: Any, query: Mapping[str, str]) -> None:
        setting = read_setting()
        visible = access.visible_kitchens(user, setting.kitchens)
        self.may_open = access.may_open_orders(user)
        self.question = question = parse(
            query, visible, clock.now(), sees_all=len(visible) == len(setting.kitchens)
        )
        self.brand_names = {brand.id: brand.name for brand in setting.brands}
        self.kitchen_names = {kitchen.slug: kitchen.name for kitchen in visible}
        self.makers = makers_of(question.slugs)
        self.figures = figures(question, setting.place)
        self.age = trust.age(question, setting.refreshed_at) if visible else None

    @property
    def panels(self) -> dict[str, Panel | Facts]:
        question, found = self.question, self.figures
        received, preparing, ready = work.times(question, found)
        slowest, most_ordered = work.products(found, self.brand_names, self.makers)
        panels: Sequence[Panel | Facts] = (
            orders.headline(question, found),
            orders.rush(question, found),
            orders.weekdays(question, found),
            orders.days(question, found),
            received,
            preparing,
            ready,
            slowest,
            most_ordered,
            work.stations(found, self.makers, self.kitchen_names),
            orders.brands(question, found, self.brand_names),
            orders.channels(question, found),
            orders.customers(question, found),
            trust.trust(question, found),
        )
        return {panel.id: panel for panel in panels}

    def context(self) -> dict[str, Any]:
        question, panels = self.question, self.panels
        now = read_now(question, self.makers)
        return {
            "question": question,
            "age": self.age,
            "ranges": self._ranges(),
            "brands": self._brands(),
            "zones": list(question.zones),
            "query": self._query(),
            "tiles": self._tiles(now.total, question.kitchen),
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
            "bursts": trust.bursts(question, self.figures),
        }

    def _query(self) -> str:
        """This question as a query, for the links to its CSV."""
        asked = {"range": self.question.range, "kitchen": self.question.kitchen, "brand": self.question.brand}
        if self.question.range == CUSTOM:
            asked |= {"from": self.question.days.first.isoformat(), "to": self.question.days.last.isoformat()}
        return urlencode({key: value for key, value in asked.items() if value})

    def _ranges(self) -> list[tuple[str, str, bool]]:
        """Value, words and whether it is the one shown."""
        return [(key, str(title), key == self.question.range) for key, (_days, title) in RANGES.items()]

    def _brands(self) -> list[tuple[str, str]]:
        """Those that have a name, and others that have orders."""
        ids = {brand for brand, _channel in self.figures.shares} | {self.question.brand} - {""}
        named = [(id_, name) for id_, name in self.brand_names.items()]
        return named + [(id_, id_) for id_ in sorted(ids - self.brand_names.keys())]

    def _to(self, **query: str) -> str:
        if not self.may_open:
            return ""
        chosen = {"kitchen": self.question.kitchen, "brand": self.question.brand}
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
                text=_("longest %s") % length(now.waiting) if now.ready else "",
            ),
            Tile(_("Oldest to make"), length(now.oldest), text=_("since it came to the wall")),
            Tile(
                _("For later"), str(now.later), self._to(status="1", **place), text=_("not on the wall yet")
            ),
        ]

    def _kitchens(self, now: Now) -> list[tuple[str, list[Tile]]]:
        """Each kitchen for itself, where there are several."""
        if len(now.kitchens) < 2:
            return []
        return [(each.name, self._tiles(each, each.slug)) for each in now.kitchens]

    def _late(self, late: LateOrder) -> dict[str, Any]:
        order = late.order
        return {
            "number": order.number,
            "url": reverse(ORDER_PAGE, args=[order.id]),
            "by": length(late.by),
            "brand": self.brand_names.get(order.brand, order.brand),
            "stations": ", ".join(late.stations),
            "kitchen": self.kitchen_names[order.kitchen] if len(self.question.kitchens) > 1 else "",
        }
