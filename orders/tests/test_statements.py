"""Each statement that writes does what the ORM would do, and reads of tuples give the columns of their models.

test_reads holds the other reads equal to querysets.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import models, transaction
from django.db.models.signals import post_save

from orders import statements
from orders.models import Amendment, HistoryEntry, Order, OrderItem, StatusChange
from orders.models.orders import DirectStatusWrite
from orders.services import move_order
from orders.statements import ItemRow
from orders.statuses import OPEN, PREPARING, READY, is_late
from orders.tests import factories

pytestmark = pytest.mark.django_db


def columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def test_tuples_have_the_columns_of_their_models() -> None:
    assert list(ItemRow._fields) == columns(OrderItem)
    assert list(HistoryEntry._fields) == [*columns(StatusChange), "tx"]


@pytest.mark.parametrize("number", [1, 2])
def test_items_and_history_equal_their_querysets(number: int) -> None:
    orders = [factories.order(1, 2, 3), factories.order(1)][:number]
    OrderItem.objects.filter(plu="P0").update(modifiers=[{"name": "cheese"}], allergens=["milk"], price=1250)
    move_order(orders[0].id, READY, actor="screen:grill", reason="late")
    ids = [order.id for order in orders]
    items, history = statements.items_by_order(ids), statements.history_by_order(ids)
    for order in orders:
        assert [item._asdict() for item in items[order.id]] == list(order.items.order_by("position").values())
        assert [entry._asdict() for entry in history[order.id]] == [
            {**row, "recorded_at": None, "tx": 0}
            for row in order.history.order_by("sequence").values(*columns(StatusChange))
        ]


def test_update_stores_the_named_fields_alone() -> None:
    order, other = factories.order(), factories.order()
    order.note, order.account = "no onions", "changed"
    assert statements.update(order, ("note",))
    assert Order.objects.filter(note="no onions", account="acc-1").get() == order
    order.id = "gone"
    assert not statements.update(order, ("note",))
    other.refresh_from_db()
    assert other.note == ""


def test_move_items_sets_the_status_of_these_items() -> None:
    order, other = factories.order(1, 1, 1), factories.order(1)
    statements.move_items(order.id, ["P0", "P2"], PREPARING)
    assert list(order.items.order_by("position").values_list("status", flat=True)) == [2, 1, 2]
    assert other.items.get().status == 1


def test_amend_items_stores_note_and_quantity_of_these_items() -> None:
    order, other = factories.order(1, 1), factories.order(1)
    before = list(OrderItem.objects.exclude(order=order, plu="P0").order_by("order", "plu").values())
    item = order.items.get(plu="P0")
    item.note, item.quantity, item.name = "rare", 7, "not stored"
    statements.amend_items([item])
    stored = order.items.get(plu="P0")
    assert (stored.note, stored.quantity, stored.name) == ("rare", 7, "Dish 0")
    assert list(OrderItem.objects.exclude(order=order, plu="P0").order_by("order", "plu").values()) == before
    assert other.items.get().quantity == 1


def test_inserted_rows_equal_the_given_ones() -> None:
    order = factories.order(1)
    changes = [{"plu": None, "field": "note", "before": "", "after": "é"}]
    row = Amendment(
        order_id=order.id, version=2, changes=changes, at=order.created_at, actor="user:anna", reason=""
    )
    statements.insert(Amendment, [row])
    stored = Amendment.objects.get()
    assert [getattr(stored, name) for name in columns(Amendment)] == [
        getattr(row, name) for name in columns(Amendment)
    ]


def test_post_save_is_sent_as_by_save() -> None:
    received: list[dict[str, Any]] = []

    def receive(**arguments: Any) -> None:
        received.append(arguments)

    order = factories.order()
    post_save.connect(receive, sender=Order)
    try:
        statements.update_order(order, ("note",))
        order.save(update_fields=["note"])
    finally:
        post_save.disconnect(receive, sender=Order)
    assert received[0] == received[1]


def test_inserted_order_counts_as_stored() -> None:
    order = factories.order()
    assert (order._state.adding, order._state.db) == (False, "default")


@pytest.mark.django_db(transaction=True)
def test_order_is_not_written_outside_a_transaction() -> None:
    order = factories.order()
    for write in (lambda: statements.insert_order(order), lambda: statements.update_order(order, ("note",))):
        with pytest.raises(DirectStatusWrite):
            write()
    with transaction.atomic():
        statements.update_order(order, ("note",))


def test_late_orders_of_the_queryset_are_those_of_the_rule() -> None:
    orders = [factories.order(status=status, pickup_in=timedelta(minutes=20)) for status in OPEN]
    for now in (orders[-1].due_at, orders[-1].due_at + timedelta(seconds=1)):
        late = Order.objects.late(now)
        assert set(late) == {order for order in orders if is_late(order, now)}
    assert late.count() == 2
