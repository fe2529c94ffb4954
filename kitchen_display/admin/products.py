"""At which stations recently ordered products are shown. The page updates it while a manager types rules."""

from dataclasses import dataclass
from typing import Final

from kitchen_display.configuration import base_plu, best_stations
from kitchen_display.models import Station, StationRule
from orders.models import Order, OrderItem

LATEST_ORDERS: Final = 300
MOST_PRODUCTS: Final = 200


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
    items = OrderItem.objects.filter(order_id__in=list(latest[:LATEST_ORDERS]))
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    for plu, name, quantity in items.values_list("plu", "name", "quantity"):
        base = base_plu(plu)
        counts[base] = counts.get(base, 0) + quantity
        names[base] = name
    rules = list(
        StationRule.objects.filter(station__kitchen_id=station.kitchen_id)
        .exclude(station_id=station.pk)
        .values_list("station__name", "plu", "is_prefix")
    )
    products = []
    for plu, count in counts.items():
        score, stations = best_stations(plu, rules)
        products.append(Product(plu, names[plu], count, score, ", ".join(sorted(stations))))
    return sorted(products, key=lambda product: (-product.count, product.name))[:MOST_PRODUCTS]
