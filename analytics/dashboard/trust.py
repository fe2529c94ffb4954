"""Whether the figures can be trusted: how old they are, and what distorts them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.figures import Figures, of_days
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.orders import no_orders, ratio
from analytics.dashboard.panel import Fact, Facts
from orders.admin.formatting import who
from orders.statuses import OrderStatus

# They are refreshed each minute; a single missed refresh is no reason to worry.
OLD: Final = timedelta(minutes=5)
# Shares of orders from which on a manager should check.
MANY_RECALLED: Final = 0.05
MANY_MASSED: Final = 0.05
MANY_SKIPPED: Final = 0.20
MANY_IMPORTED: Final = 0.10


@dataclass(frozen=True)
class Age:
    """“Figures as of 12:04 EET”. `old`: why they are too old, if they are."""

    text: str
    old: str


def age(filters: DashboardFilter, refreshed_at: datetime | None) -> Age:
    if refreshed_at is None:
        return Age(_("No figures yet"), _("They are refreshed every minute while worker and beat run."))
    zone = next(iter(filters.zone_of.values()))
    is_today = refreshed_at.astimezone(zone).date() == filters.now.astimezone(zone).date()
    text = _("Figures as of %s") % formatting.clock(refreshed_at, zone, with_day=not is_today)
    behind = filters.now - refreshed_at
    if behind < OLD:
        return Age(text, "")
    return Age(text, _("They are %s old: worker or beat is not running.") % formatting.duration(behind))


@dataclass(frozen=True)
class Burst:
    """A mass move, as shown."""

    at: str
    actor: str
    orders: int
    status: str
    kitchen: str


def trust(filters: DashboardFilter, figures: Figures) -> Facts:
    sums, mass = of_days(figures.cells, filters.days), figures.mass
    facts = [
        _check(
            "recalledOrders",
            _("Orders with a recall"),
            sums.recalled,
            sums.orders,
            MANY_RECALLED,
            _("A mistaken bump shows as a short time."),
        ),
        _check(
            "massMoves",
            _("Moves in bulk"),
            mass.orders,
            sums.orders,
            MANY_MASSED,
            _(
                "Five orders or more within ten seconds: somebody cleared the wall, so these times mean little."
            ),
        ),
        _check(
            "skippedOrders",
            _("Orders that skipped a status"),
            sums.skipped,
            sums.orders,
            MANY_SKIPPED,
            _("Their time in that status is unknown and not counted."),
        ),
        _check(
            "importedOrders",
            _("Orders with an imported history"),
            sums.imported,
            sums.orders,
            MANY_IMPORTED,
            _("Their times are those the channel sent."),
        ),
    ]
    if any(fact.watch for fact in facts):
        text = _("Check these figures.")
    else:
        text = _("Nothing stands out: these figures can be trusted.")
    empty = "" if sums.orders else no_orders()
    return Facts("trust", _("Can these figures be trusted?"), text, facts, empty)


def _check(key: str, title: str, number: float, orders: float, many: float, text: str) -> Fact:
    share = ratio(number, orders)
    return Fact(key, title, "count", number, text=text, share=share, watch=(share or 0) >= many)


def bursts(filters: DashboardFilter, figures: Figures) -> Sequence[Burst]:
    """The latest mass moves."""
    names = {kitchen.slug: kitchen.name for kitchen in filters.kitchens}
    return [
        Burst(
            formatting.clock(move.at, filters.zone_of[move.kitchen], with_day=True),
            who(move.actor)[1],
            move.orders,
            str(OrderStatus(move.status).label),
            names[move.kitchen],
        )
        for move in figures.mass.latest
    ]
