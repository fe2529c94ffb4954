"""Whether the figures can be believed: how old they are, and what bends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from analytics.dashboard import formatting
from analytics.dashboard.figures import Figures, of_days
from analytics.dashboard.filters import DashboardFilter
from analytics.dashboard.orders import no_orders, part
from analytics.dashboard.panel import Fact, Facts
from orders.admin.formatting import who
from orders.statuses import OrderStatus

# They are refreshed each minute; a refresh that was missed is no reason to worry yet.
OLD: Final = timedelta(minutes=5)
# Shares from which on a manager should know of it.
MANY_RECALLED: Final = 0.05
MANY_MASSED: Final = 0.05
MANY_SKIPPED: Final = 0.20
MANY_IMPORTED: Final = 0.10


@dataclass(frozen=True)
class Age:
    """“figures as of 12:04 EET”. `old`: so old that something must be broken."""

    text: str
    old: str


def age(question: DashboardFilter, refreshed_at: datetime | None) -> Age:
    if refreshed_at is None:
        return Age(_("No figures yet"), _("They are made each minute once worker and beat run."))
    zone = next(iter(question.zone_of.values()))
    is_today = refreshed_at.astimezone(zone).date() == question.now.astimezone(zone).date()
    text = _("Figures as of %s") % formatting.clock(refreshed_at, zone, with_day=not is_today)
    behind = question.now - refreshed_at
    if behind < OLD:
        return Age(text, "")
    return Age(text, _("They are %s old: worker or beat does not run.") % formatting.length(behind))


@dataclass(frozen=True)
class Burst:
    """Orders that somebody moved at once, in words."""

    at: str
    actor: str
    orders: int
    status: str
    kitchen: str


def trust(question: DashboardFilter, figures: Figures) -> Facts:
    sums, mass = of_days(figures.cells, question.days), figures.mass
    facts = [
        _check(
            "recalledOrders",
            _("Orders with something taken back"),
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
                "Five orders or more within ten seconds: somebody cleared the wall, and these times say little."
            ),
        ),
        _check(
            "skippedOrders",
            _("Orders that left a status out"),
            sums.skipped,
            sums.orders,
            MANY_SKIPPED,
            _("Their time in that status is unknown; what is shown there tells of the others."),
        ),
        _check(
            "importedOrders",
            _("Orders with an imported history"),
            sums.imported,
            sums.orders,
            MANY_IMPORTED,
            _("Their times are those that the channel sent."),
        ),
    ]
    if any(fact.watch for fact in facts):
        text = _("Some of it is worth a look.")
    else:
        text = _("Nothing stands out: these figures can be believed.")
    empty = "" if sums.orders else no_orders()
    return Facts("trust", _("Can these figures be trusted?"), text, facts, empty)


def _check(key: str, title: str, number: float, orders: float, many: float, text: str) -> Fact:
    share = part(number, orders)
    return Fact(key, title, "count", number, text=text, share=share, watch=(share or 0) >= many)


def bursts(question: DashboardFilter, figures: Figures) -> Sequence[Burst]:
    """The latest moves in bulk."""
    names = {kitchen.slug: kitchen.name for kitchen in question.kitchens}
    return [
        Burst(
            formatting.clock(move.at, question.zone_of[move.kitchen], with_day=True),
            who(move.actor)[1],
            move.orders,
            str(OrderStatus(move.status).label),
            names[move.kitchen],
        )
        for move in figures.mass.latest
    ]
