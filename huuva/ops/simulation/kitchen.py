"""What the simulation needs of the installation that runs here: brands, stations, and a key without a rate limit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.db import transaction

from huuva.ops.first_data import kept_key
from huuva.ops.simulation.customers import ACCOUNT
from huuva.ops.simulation.menu import BRANDS, STATIONS
from kitchen_display.models import Station, StationRule
from orders.models import Brand, Kitchen, Order

KEY_NAME: Final = "simulation"
KEY_FILE: Final = "simulation-key.json"
SCOPES: Final = ("orders:read", "orders:write", "orders:recall")


def simulation_key(home: Path) -> str:
    return kept_key(home / KEY_FILE, KEY_NAME, SCOPES, rate_limit=0)


@transaction.atomic
def furnish(kitchen: Kitchen) -> None:
    """Makes the brands that are missing and, for a kitchen without any station, its stations."""
    for brand in BRANDS:
        Brand.objects.get_or_create(id=brand.id, defaults={"name": brand.name, "colour": brand.colour})
    # A manager's own stations are left as they are.
    if kitchen.stations.exists():
        return
    for wanted in STATIONS:
        station = Station.objects.create(kitchen=kitchen, slug=wanted.slug, name=wanted.name)
        StationRule.objects.bulk_create(
            StationRule(station=station, plu=prefix, is_prefix=True) for prefix in wanted.prefixes
        )


def has_real_orders(kitchen: Kitchen) -> bool:
    """Whether it has an order whose account no simulation has invented."""
    return Order.objects.filter(kitchen=kitchen).exclude(account__startswith=ACCOUNT).exists()
