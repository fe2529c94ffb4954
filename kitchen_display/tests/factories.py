"""Stations, screens (paired as a browser would be) and orders with products of several stations."""

from datetime import timedelta
from typing import Any

from django.test import Client
from factory import LazyAttribute, SubFactory
from factory.django import DjangoModelFactory

from kitchen_display.configuration import forget_kitchen_configs
from kitchen_display.models import Screen, Station, StationRule
from kitchen_display.pairing import make_link
from orders.models import Kitchen, Order
from orders.new import NewItem
from orders.tests import factories as orders

SCRIPT = {"X-Requested-With": "fetch"}


class StationFactory(DjangoModelFactory[Station]):
    class Meta:
        model = Station

    kitchen = SubFactory(orders.KitchenFactory)
    slug = "grill"
    name = LazyAttribute(lambda station: station.slug.title())


class StationRuleFactory(DjangoModelFactory[StationRule]):
    class Meta:
        model = StationRule

    station = SubFactory(StationFactory)


class ScreenFactory(DjangoModelFactory[Screen]):
    class Meta:
        model = Screen

    kitchen = SubFactory(orders.KitchenFactory)
    name = "Expo"


def station(
    slug: str, *prefixes: str, exact: tuple[str, ...] = (), of: Kitchen | None = None, **fields: Any
) -> Station:
    station = StationFactory(slug=slug, kitchen=of or orders.kitchen(), **fields)
    for plu in (*prefixes, *exact):
        StationRuleFactory(station=station, plu=plu, is_prefix=plu in prefixes)
    forget_kitchen_configs()
    return station


def screen(name: str = "Expo", *, of: Kitchen | None = None, **fields: Any) -> Screen:
    return ScreenFactory(name=name, kitchen=of or orders.kitchen(), **fields)


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
    **fields: Any,
) -> Order:
    """An order of these products (two of each), due in so many minutes."""
    items = items or [NewItem(plu, {"name": f"Dish {plu}", "quantity": 2}) for plu in plus or ("P0",)]
    return orders.order(of=of, items=items, pickup_in=timedelta(minutes=due_in), **fields)
