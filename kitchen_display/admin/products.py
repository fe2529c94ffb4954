"""Where the products that a kitchen sold last go by its stations' rules; the page keeps it fresh while one types."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kitchen_display.configuration import base_plu
from kitchen_display.models import Station, StationRule
from orders.models import Order, OrderItem

LATEST_ORDERS: Final = 300
MOST_PRODUCTS: Final = 200
# An exact rule is better than any prefix.
EXACT: Final = 1000


@dataclass(frozen=True, slots=True)
class Product:
    """`score` and `stations`: the best match of the other stations' rules (0: none), and whose it is."""

    plu: str
    name: str
    count: int
    score: int
    stations: str


def recent_products(station: Station) -> list[Product]:
    """What the kitchen's latest orders held, most ordered first. Three statements."""
    latest = Order.objects.filter(kitchen_id=station.kitchen_id).newest_first().values_list("pk", flat=True)
    lines = OrderItem.objects.filter(order_id__in=list(latest[:LATEST_ORDERS]))
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for plu, name, quantity in lines.values_list("plu", "name", "quantity"):
        base = base_plu(plu)
        counts[base] = counts.get(base, 0) + quantity
        names[base] = name
    rules = list(
        StationRule.objects.filter(station__kitchen_id=station.kitchen_id)
        .exclude(station_id=station.pk)
        .select_related("station")
    )
    products = [_product(plu, names[plu], count, rules) for plu, count in counts.items()]
    return sorted(products, key=lambda product: (-product.count, product.name))[:MOST_PRODUCTS]


def _product(plu: str, name: str, count: int, rules: Iterable[StationRule]) -> Product:
    best, whose = 0, set[str]()
    for rule in rules:
        score = _score(plu, rule)
        if score and score >= best:
            whose = {rule.station.name} | (whose if score == best else set())
            best = score
    return Product(plu, name, count, best, ", ".join(sorted(whose)))


def _score(plu: str, rule: StationRule) -> int:
    if rule.is_prefix:
        return len(rule.plu) if plu.startswith(rule.plu) else 0
    return EXACT if plu == rule.plu else 0
