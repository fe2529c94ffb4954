"""The side doors: no way around `orders.services` writes a status, and no way changes what was written."""

from typing import Any

import pytest
from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save

from orders.consistency import differences
from orders.models import Order, OrderItem, StatusChange
from orders.models.orders import DirectStatusWrite
from orders.services import move_order
from orders.statuses import CANCELLED, PREPARING, RECEIVED
from orders.tasks import check_history
from orders.tests import factories

pytestmark = pytest.mark.django_db


def test_a_status_is_not_saved_by_hand() -> None:
    order = factories.order()
    order.status = 3
    item = order.items.get(plu="P0")
    item.status = 3
    for save in (
        order.save,
        lambda: order.save(update_fields=["status"]),
        lambda: order.save(update_fields=["note", "sequence"]),
        item.save,
        lambda: item.save(update_fields=["status"]),
        Order(id="x", kitchen_id="main", status=RECEIVED).save,
        OrderItem(order_id=order.id, plu="new", status=RECEIVED).save,
    ):
        with pytest.raises(DirectStatusWrite):
            save()
    assert differences() == []


def test_a_row_read_before_a_change_does_not_write_back_what_was() -> None:
    order = factories.order()
    old = Order.objects.get(pk=order.id)
    move_order(order.id, PREPARING, actor="user:anna")
    with pytest.raises(DirectStatusWrite):
        old.save()
    assert Order.objects.get().version == 2


def test_a_note_is_saved_by_hand_and_records_nothing() -> None:
    order = factories.order()
    order.note = "no onions"
    order.save(update_fields=["note"])
    deferred = Order.objects.only("id", "note").get(pk=order.id)
    deferred.note = "no garlic"
    deferred.save(update_fields=["note"])
    order.refresh_from_db()
    order.save(update_fields=["note"])
    assert order.note == "no garlic"
    assert StatusChange.objects.count() == 4


@pytest.mark.parametrize("field", ["status", "version", "sequence", "changed_at"])
def test_querysets_refuse_what_would_have_no_history(field: str) -> None:
    order = factories.order()
    with pytest.raises(TypeError, match="orders.services"):
        Order.objects.update(**{field: 3})
    with pytest.raises(TypeError, match="orders.services"):
        Order.objects.bulk_update([order], [field])
    with pytest.raises(TypeError, match="orders.services"):
        Order.objects.bulk_create([order])
    with pytest.raises(TypeError, match="orders.services"):
        OrderItem.objects.bulk_create(list(order.items.all()))
    with pytest.raises(TypeError, match="append-only"):
        StatusChange.objects.update(reason="")


def test_a_receiver_that_fails_leaves_nothing_changed() -> None:
    order = factories.order()

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("boom")

    post_save.connect(fail, sender=Order)
    try:
        with pytest.raises(RuntimeError, match="boom"):
            move_order(order.id, PREPARING, actor="user:anna")
    finally:
        post_save.disconnect(fail, sender=Order)
    assert Order.objects.get().status == RECEIVED
    assert set(OrderItem.objects.values_list("status", flat=True)) == {RECEIVED}
    assert StatusChange.objects.count() == 4


def test_history_is_written_once_however_often_the_app_is_made_ready() -> None:
    from django.apps import apps

    apps.get_app_config("orders").ready()
    factories.order()
    assert StatusChange.objects.count() == 4


def test_fixtures_bring_their_own_history() -> None:
    order = factories.order()
    text = serializers.serialize("json", [order])
    with transaction.atomic():
        for loaded in serializers.deserialize("json", text):
            loaded.save()
    assert StatusChange.objects.count() == 4


@pytest.mark.parametrize(
    "statement",
    ["UPDATE orders_statuschange SET actor = 'nobody'", "DELETE FROM orders_statuschange WHERE sequence = 1"],
)
def test_the_database_refuses_to_change_history(statement: str) -> None:
    factories.order()
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_only_retention_deletes_history_and_only_in_its_own_transaction() -> None:
    order = factories.order()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL huuva.retention = 'on'")
        cursor.execute("DELETE FROM orders_statuschange WHERE order_id = %s AND sequence > 1", [order.id])
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute("UPDATE orders_statuschange SET actor = 'nobody'")
        cursor.execute("SET LOCAL huuva.retention = 'off'")
    assert StatusChange.objects.count() == 1


@pytest.mark.parametrize(
    "tables", ["orders_statuschange", "orders_amendment", "orders_order CASCADE", "orders_kitchen CASCADE"]
)
def test_the_database_refuses_to_empty_history(tables: str) -> None:
    factories.order()
    execute(
        "SET CONSTRAINTS ALL IMMEDIATE"
    )  # what is still to be checked would be in its way before the guard
    with (
        pytest.raises(IntegrityError, match="TRUNCATE of orders_(statuschange|amendment) refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {tables}")
    assert StatusChange.objects.count() == 4


def test_retention_empties_reasons_and_nothing_else() -> None:
    order = factories.order()
    move_order(order.id, CANCELLED, actor="key:test", reason="Ada called")
    before = list(StatusChange.objects.order_by("sequence").values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, tx::text FROM orders_statuschange ORDER BY sequence")
        transactions = cursor.fetchall()

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute("UPDATE orders_statuschange SET reason = ''")
    for wrong in ("reason = 'x'", "reason = '', actor = 'nobody'", "reason = '', tx = '1'"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            execute("SET LOCAL huuva.retention = 'on'")
            execute(f"UPDATE orders_statuschange SET {wrong}")
    with transaction.atomic():
        StatusChange.objects.empty_reasons([order.id])

    assert list(StatusChange.objects.order_by("sequence").values()) == [
        {**row, "reason": ""} for row in before
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, tx::text FROM orders_statuschange ORDER BY sequence")
        assert cursor.fetchall() == transactions
        cursor.execute("SHOW huuva.retention")
        assert cursor.fetchone() != ("on",)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_periodic_check_finds_a_status_that_history_does_not_tell() -> None:
    order, other = factories.order(), factories.order()
    assert check_history() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET status = 2 WHERE id = %s", [order.id])
        cursor.execute(
            "UPDATE orders_orderitem SET status = 3 WHERE order_id = %s AND plu = 'P1'", [other.id]
        )
    assert check_history() == 2
    assert {(found["order_id"], found["plu"]) for found in differences()} == {
        (order.id, None),
        (other.id, "P1"),
    }
