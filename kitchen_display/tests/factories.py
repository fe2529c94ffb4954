"""Screens for tests, paired as a browser would be, and orders with products of several stations."""

import dataclasses
from datetime import timedelta
from typing import Any

from django.test import Client

from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.models import Screen, Station, StationRule
from kitchen_display.pairing import make_link
from orders.models import Kitchen, Order
from orders.new import NewItem
from orders.services import create_order
from orders.tests import factories as orders

SCRIPT = {"X-Requested-With": "fetch"}


def station(slug: str, *prefixes: str, exact: tuple[str, ...] = (), of: Kitchen | None = None) -> Station:
    station = Station.objects.create(kitchen=of or orders.kitchen(), slug=slug, name=slug.title())
    for prefix in prefixes:
        StationRule.objects.create(station=station, plu=prefix, is_prefix=True)
    for plu in exact:
        StationRule.objects.create(station=station, plu=plu, is_prefix=False)
    forget_kitchen_configs()
    return station


def screen(name: str = "Expo", *, of: Kitchen | None = None, **fields: Any) -> Screen:
    return Screen.objects.create(name=name, kitchen=of or orders.kitchen(), **fields)


def paired(screen: Screen) -> Client:
    """The browser of a screen."""
    client = Client(headers={"accept": "text/html"})
    answer = client.post(make_link(screen))
    assert answer.status_code == 303, answer.content
    screen.refresh_from_db()
    return client


def order(
    *plus: str,
    due_in: int = 10,
    of: Kitchen | None = None,
    items: list[NewItem] | None = None,
    **details: Any,
) -> Order:
    """An order of these products (two of each), due in so many minutes."""
    new = dataclasses.replace(
        orders.new_order(pickup_in=timedelta(minutes=due_in), **details),
        items=items
        or [NewItem(plu, {"name": f"Dish {plu}", "quantity": 2}, None) for plu in plus or ("P0",)],
    )
    return create_order(new, kitchen=of or orders.kitchen(), actor="key:test")
