"""Kitchens, brands and orders for tests. Orders are created by the service, so that test data obeys the rules."""

from collections.abc import Iterable
from dataclasses import fields as fields_of
from datetime import UTC, datetime, timedelta
from typing import Any

from factory import Dict, Factory, LazyAttribute, LazyFunction, SubFactory
from factory.django import DjangoModelFactory

from orders.ids import new_order_id
from orders.models import Brand, Kitchen, Order
from orders.new import NewItem, NewOrder, PastStatus
from orders.services import create_order
from tests import planted

NEW_ORDER_FIELDS = {field.name for field in fields_of(NewOrder)} | {"item_statuses", "pickup_in"}


class KitchenFactory(DjangoModelFactory[Kitchen]):
    class Meta:
        model = Kitchen
        django_get_or_create = ["slug"]

    slug = "main"
    name = LazyAttribute(lambda kitchen: kitchen.slug.title())


class BrandFactory(DjangoModelFactory[Brand]):
    class Meta:
        model = Brand

    id = "burgers"
    name = "Burger House"


class NewOrderFactory(Factory[NewOrder]):
    """An order as a channel sends it, with an item for each of `item_statuses` (None: none of its own)."""

    class Meta:
        model = NewOrder

    class Params:
        item_statuses = (None, None, None)
        pickup_in = timedelta(minutes=20)

    id = LazyFunction(new_order_id)
    pickup_time = LazyAttribute(lambda new: datetime.now(UTC) + new.pickup_in)
    items = LazyAttribute(
        lambda new: [
            NewItem(f"P{n}", {"name": f"Dish {n}", "quantity": 1}, status)
            for n, status in enumerate(new.item_statuses)
        ]
    )
    details = Dict(
        {
            "account": "acc-1",
            "brand_id": "burgers",
            "channel_order_id": "TEST-1",
            "customer_name": planted.NAME,
            "customer_phone": planted.PHONE,
        }
    )


class OrderFactory(DjangoModelFactory[Order]):
    """What the service makes of `new`; `new__details__note="…"` and the like change it."""

    class Meta:
        model = Order

    new = SubFactory(NewOrderFactory)
    kitchen = SubFactory(KitchenFactory)
    actor = "key:test"

    @classmethod
    def _create(cls, model_class: type[Order], *args: Any, new: NewOrder, **fields: Any) -> Order:
        return create_order(new, **fields)


def kitchen(slug: str = "main", **fields: Any) -> Kitchen:
    return KitchenFactory(slug=slug, **fields)


def brand(id: str = "burgers", **fields: Any) -> Brand:
    return BrandFactory(id=id, **fields)


def new_order(
    *item_statuses: int | None, history: Iterable[tuple[int, datetime]] = (), **fields: Any
) -> NewOrder:
    """Fields that NewOrder doesn't have, like `note`, go into its details."""
    if item_statuses:
        fields["item_statuses"] = item_statuses
    return NewOrderFactory(
        history=[PastStatus(status, at) for status, at in history],
        **{name if name in NEW_ORDER_FIELDS else f"details__{name}": value for name, value in fields.items()},
    )


def order(*item_statuses: int | None, of: Kitchen | None = None, **fields: Any) -> Order:
    return OrderFactory(new=new_order(*item_statuses, **fields), kitchen=of or kitchen())
