"""The reads with SQL of their own give what querysets give."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.statements import items_by_order, items_of, locked_order, newest_orders, one_order, orders_by_id
from orders.statuses import PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db


def fields(instance: models.Model) -> dict[str, Any]:
    assert not instance.get_deferred_fields()
    assert not instance._state.adding
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


def test_an_order_read_is_the_order() -> None:
    order = factories.order(delivery_address={"city": "Turku"})
    for read in (one_order(order.id), one_order(order.id, "main")):
        assert fields(read) == fields(Order.objects.get(pk=order.id))
    assert one_order(factories.order().id).delivery_address is None


def test_a_locked_order_brings_its_kitchen_and_is_locked() -> None:
    order = factories.order()
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        read = locked_order(order.id)
        assert fields(read) == fields(Order.objects.get(pk=order.id))
    assert queries[0]["sql"].endswith("FOR UPDATE OF orders_order")
    with CaptureQueriesContext(connection) as queries:
        assert fields(read.kitchen) == fields(factories.kitchen())
    assert len(queries) == 1, "the factory's own"


def test_items_come_by_position() -> None:
    order = factories.order(RECEIVED, PREPARING, READY)
    order.items.filter(plu="P1").update(modifiers=[{"name": "cheese", "quantity": 2}], allergens=["milk"])
    assert [fields(item) for item in items_of(order.id)] == [
        fields(item) for item in order.items.order_by("position")
    ]


def test_several_orders_and_their_items_are_read_at_once() -> None:
    orders = [
        factories.order(RECEIVED, PREPARING),
        factories.order(READY, delivery_address={"city": "Turku"}),
        factories.order(RECEIVED),
    ]
    ids = [order.id for order in orders[:2]]
    with CaptureQueriesContext(connection) as queries:
        found, items = orders_by_id([*ids, "gone"]), items_by_order([*ids, "gone"])
    assert len(queries) == 2
    assert found.keys() == items.keys() == set(ids)
    for order in orders[:2]:
        assert fields(found[order.id]) == fields(Order.objects.get(pk=order.id))
        assert [item._asdict() for item in items[order.id]] == [
            fields(item) for item in order.items.order_by("position")
        ]


@pytest.mark.parametrize("read", [one_order, locked_order])
def test_another_kitchens_order_is_not_there(read: Any) -> None:
    order = factories.order()
    with pytest.raises(Order.DoesNotExist):
        read(order.id, "elsewhere")
    with pytest.raises(Order.DoesNotExist):
        read("nothing")


def test_a_page_of_all_orders_is_the_page_of_the_queryset() -> None:
    at = datetime(2026, 5, 1, 18, 30, tzinfo=UTC)
    other = factories.kitchen("other")
    for n in range(8):
        # Two at a time came in the same moment.
        factories.order(
            of=other if n % 3 == 0 else None, id=f"o{n}", created_at=at + timedelta(seconds=n // 2)
        )
    for kitchen in (None, "main"):
        orders = list(Order.objects.for_key(kitchen).newest_first())
        assert [fields(order) for order in newest_orders(kitchen, 9)] == [fields(order) for order in orders]
        for place, seen in enumerate(orders):
            last = (seen.created_at, seen.id)
            assert newest_orders(kitchen, 3, last) == orders[place + 1 : place + 4]
            assert newest_orders(kitchen, 9, last, backwards=True) == orders[:place][::-1]
