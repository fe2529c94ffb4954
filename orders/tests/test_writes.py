"""Rows that go in by one statement come out as they were given."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, transaction
from django.db.models.signals import post_save

from orders import moves, services
from orders.models import Order, OrderItem
from orders.new import NewItem, NewOrder
from orders.statuses import RECEIVED, ItemStatus
from orders.tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 1, 18, 30, 0, 123457, tzinfo=UTC)
# What JSON, arrays and statements give a meaning to.
ODD = 'Smörgås "Läx" \\n {a,b} NULL %s \' ☃ 🍣 \u2028'


def new(**details: object) -> NewOrder:
    item = {
        "name": ODD,
        "quantity": 9999,
        "note": ODD,
        "modifiers": [{"name": ODD, "quantity": 2}],
        "allergens": [ODD],
    }
    return NewOrder(
        id=f"writes-{ODD.replace('/', '')[:20]}",
        pickup_time=AT,
        created_at=AT,
        items=[NewItem(ODD, {**item, "price": 2**53 + 1}), NewItem("plain", {"name": "Tea", "quantity": 1})],
        details={
            "account": ODD,
            "brand_id": "NULL",
            "channel": "",
            "channel_order_id": "007",
            "customer_name": ODD,
            "delivery_address": None,
            **details,
        },
    )


def test_a_new_order_is_stored_as_it_was_given() -> None:
    order = services.create_order(new(), kitchen=factories.kitchen(), actor="system")
    stored = Order.objects.get(id=order.id)
    names = [field.attname for field in Order._meta.concrete_fields]
    assert {name: getattr(stored, name) for name in names} == {name: getattr(order, name) for name in names}
    assert (stored.account, stored.brand_id, stored.channel_order_id) == (ODD, "NULL", "007")
    assert stored.created_at == AT
    assert list(Order.objects.filter(delivery_address__isnull=True)) == [stored]

    item = OrderItem.objects.get(order_id=order.id, plu=ODD)
    assert (item.name, item.note, item.price, item.quantity) == (ODD, ODD, 2**53 + 1, 9999)
    assert (item.modifiers, item.allergens) == ([{"name": ODD, "quantity": 2}], [ODD])
    assert OrderItem.objects.get(order_id=order.id, plu="plain").price is None


def test_an_address_is_kept_as_json() -> None:
    address = {"street": ODD, "city": "Åbo"}
    order = services.create_order(new(delivery_address=address), kitchen=factories.kitchen(), actor="system")
    assert Order.objects.get(id=order.id).delivery_address == address
    assert Order.objects.filter(delivery_address__city="Åbo").count() == 1


@pytest.mark.one_server("its coordinator reports what its machines refuse as an error of its own")
def test_what_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        services.create_order(new(channel="x" * 65), kitchen=factories.kitchen(), actor="system")
    assert not Order.objects.exists()


def test_a_change_is_a_save_whose_signal_tells_what_was_written() -> None:
    order = factories.order(None, RECEIVED)
    heard: list[tuple[bool, frozenset[str] | None]] = []

    def hear(created: bool, update_fields: frozenset[str] | None, **_: object) -> None:
        heard.append((created, update_fields))

    post_save.connect(hear, sender=Order)
    try:
        factories.order(None, RECEIVED)
        moved = services.move_order(order.id, ItemStatus.READY, actor="system")
    finally:
        post_save.disconnect(hear, sender=Order)
    assert heard == [
        (True, None),
        (False, frozenset(("status", "version", "sequence", "changed_at", "updated_at"))),
    ]
    stored = Order.objects.get(id=order.id)
    assert (stored.status, stored.version, stored.sequence) == (moved.status, 2, 6)
    assert stored.updated_at - stored.created_at < timedelta(minutes=5)


def test_a_change_of_an_order_that_is_gone_writes_nothing() -> None:
    order = factories.order(None, RECEIVED)
    change = moves.begin(order, "system", at=order.changed_at)
    change.record(None, 1, 2)
    order.status, order.id = 2, "gone"
    with pytest.raises(Order.NotUpdated), transaction.atomic():
        services.store(order, change)
