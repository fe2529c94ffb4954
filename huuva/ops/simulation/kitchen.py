"""What the simulation needs in this installation: brands, stations, and a key without a rate limit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.db import transaction

from huuva.ops.first_data import stored_key
from huuva.ops.simulation.customers import ACCOUNT
from huuva.ops.simulation.menu import BRANDS, STATIONS
from kitchen_display.models import Station, StationRule
from orders.models import Brand, Kitchen, Order

KEY_NAME: Final = "simulation"
KEY_FILE: Final = "simulation-key.json"
SCOPES: Final = ("orders:read", "orders:write", "orders:recall")


def simulation_key(home: Path) -> str:
    return stored_key(home / KEY_FILE, KEY_NAME, SCOPES, rate_limit=0)


@transaction.atomic
def furnish(kitchen: Kitchen) -> None:
    """Creates missing brands and, for a kitchen without stations, its stations."""
    for brand in BRANDS:
        Brand.objects.get_or_create(id=brand.id, defaults={"name": brand.name, "colour": brand.colour})
    # A manager's own stations stay as they are.
    if kitchen.stations.exists():
        return
    for planned in STATIONS:
        station = Station.objects.create(kitchen=kitchen, slug=planned.slug, name=planned.name)
        StationRule.objects.bulk_create(
            StationRule(station=station, plu=prefix, is_prefix=True) for prefix in planned.prefixes
        )


def has_real_orders(kitchen: Kitchen) -> bool:
    """Whether it has an order whose account is not simulated."""
    return Order.objects.filter(kitchen=kitchen).exclude(account__startswith=ACCOUNT).exists()
