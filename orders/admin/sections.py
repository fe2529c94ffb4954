"""What other apps add to the managers' pages without being imported here. They register in `ready()`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise

from orders.models import Order, StatusChange


@dataclass(frozen=True)
class Alert:
    """One sentence on the admin's first page that asks for somebody, and where to go; empty: nowhere in the admin."""

    text: str | Promise
    url: str = ""


type Section = Callable[[HttpRequest, Order, Sequence[StatusChange]], str]
type Alerts = Callable[[HttpRequest], Iterable[Alert]]
_sections: list[Section] = []
_alerts: list[Alerts] = []


def register_order_section(section: Section) -> None:
    """A card below an order's timeline, as safe HTML; empty where there is nothing to show. It gets the order's whole
    history, by sequence. Its number of queries must not grow with the order."""
    _sections.append(section)


def register_alerts(alerts: Alerts) -> None:
    """Sentences for the first page, for who may do something about them."""
    _alerts.append(alerts)


def sections_of(request: HttpRequest, order: Order, history: Sequence[StatusChange]) -> list[str]:
    return [shown for section in _sections if (shown := section(request, order, history))]


def alerts_for(request: HttpRequest) -> list[Alert]:
    return [alert for alerts in _alerts for alert in alerts(request)]
