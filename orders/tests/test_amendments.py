"""What is changed of an order after it was taken: who may hear of it hears of it, and nothing else moves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from orders import clock
from orders.amendments import ItemAmendment, amend_order
from orders.consistency import differences
from orders.errors import ImpossibleAmendment, StaleVersion
from orders.models import Amendment, Order, OrderItem, StatusChange
from orders.recall import recall
from orders.services import move_item, move_order
from orders.signals import order_amended
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db


def amend(order: Order, **wanted: Any) -> Order:
    return amend_order(order.id, actor="key:wolt", **wanted)


def record(order: Order) -> list[tuple[str | None, str, Any, Any]]:
    return [
        (change["plu"], change["field"], change["before"], change["after"])
        for amendment in Amendment.objects.filter(order_id=order.id).order_by("version")
        for change in amendment.changes
    ]


def test_an_amendment_changes_what_the_cook_must_know_and_no_status() -> None:
    order = factories.order(None, None, note="Ring twice")
    rows = StatusChange.objects.count()
    later = clock.now().replace(microsecond=0) + timedelta(hours=1)

    amended = amend(
        order,
        note="",
        pickup_time=later,
        items={"P1": ItemAmendment(quantity=3, note="no onion"), "P0": ItemAmendment()},
        reason="the customer called",
    )

    stored = Order.objects.get(pk=order.id)
    assert (stored.note, stored.pickup_time, stored.due_at, stored.status) == ("", later, later, RECEIVED)
    assert (stored.version, stored.sequence, stored.changed_at) == (2, order.sequence, order.changed_at)
    assert stored.updated_at == amended.updated_at >= order.updated_at
    assert list(stored.items.order_by("plu").values_list("plu", "quantity", "note")) == [
        ("P0", 1, ""),
        ("P1", 3, "no onion"),
    ]
    assert [(line.quantity, line.note) for line in amended.loaded_items] == [(1, ""), (3, "no onion")]
    assert record(order) == [
        (None, "note", "Ring twice", ""),
        (None, "pickup_time", order.pickup_time.isoformat(), later.isoformat()),
        (None, "due_at", order.due_at.isoformat(), later.isoformat()),
        ("P1", "quantity", 1, 3),
        ("P1", "note", "", "no onion"),
    ]
    told = Amendment.objects.get()
    assert (told.version, told.actor, told.reason, told.at) == (
        2,
        "key:wolt",
        "the customer called",
        stored.updated_at,
    )
    assert StatusChange.objects.count() == rows
    assert differences() == []


def test_the_same_values_again_change_and_record_nothing() -> None:
    order = factories.order(None, note="Ring twice")
    same = {
        "note": "Ring twice",
        "pickup_time": order.pickup_time,
        "items": {"P0": ItemAmendment(quantity=1, note="")},
    }
    assert amend(order, **same).version == 1
    assert amend(order).version == 1
    move_order(order.id, PICKED_UP, actor="key:wolt")
    assert amend(order, **same).version == 2  # also when it has ended: a repeated call is harmless
    assert not Amendment.objects.exists()


@pytest.mark.parametrize("end", [PICKED_UP, CANCELLED])
def test_what_has_ended_is_not_amended(end: int) -> None:
    order = factories.order(None)
    move_order(order.id, end, actor="key:wolt")
    for wanted in (
        {"note": "x"},
        {"pickup_time": clock.now() + timedelta(hours=2)},
        {"items": {"P0": ItemAmendment(2)}},
    ):
        with pytest.raises(ImpossibleAmendment) as refused:
            amend(order, **wanted)
    assert "The order" in refused.value.detail and refused.value.facts["current"] in refused.value.detail
    stored = Order.objects.get()
    assert (stored.version, stored.note, stored.due_at) == (2, "", order.due_at)
    assert not Amendment.objects.exists()


def test_an_item_that_has_ended_is_not_amended_and_nothing_else_either() -> None:
    order = factories.order(None, None)
    move_item(order.id, "P1", CANCELLED, actor="key:wolt")
    with pytest.raises(ImpossibleAmendment, match="Item P1 is CANCELLED"):
        amend(order, note="x", items={"P0": ItemAmendment(quantity=2), "P1": ItemAmendment(quantity=2)})
    with pytest.raises(OrderItem.DoesNotExist):
        amend(order, note="x", items={"P9": ItemAmendment(quantity=2)})
    assert Order.objects.get().note == ""
    assert set(OrderItem.objects.values_list("quantity", flat=True)) == {1}


def test_what_is_ready_can_be_amended() -> None:
    order = factories.order(None)
    move_order(order.id, READY, actor="screen:Grill")
    assert amend(order, items={"P0": ItemAmendment(quantity=2)}).status == READY


def test_a_stale_version_is_refused() -> None:
    order = factories.order(None)
    amend(order, note="one", expected={1})
    with pytest.raises(StaleVersion):
        amend(order, note="two", expected={1})
    assert Order.objects.get().note == "one"


def test_a_pickup_time_past_since_the_order_came_makes_it_late_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    came = clock.now() - timedelta(hours=1)
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "now", lambda: came)
        order = factories.order(None)
    passed = came + timedelta(minutes=5)
    assert amend(order, pickup_time=passed).due_at == passed


def test_a_pickup_time_before_the_order_came_means_the_kitchens_target() -> None:
    order = factories.order(None)
    came = StatusChange.objects.filter(sequence=1).get().recorded_at
    amended = amend(order, pickup_time=datetime(2026, 1, 1, tzinfo=UTC))
    assert amended.due_at == came + order.kitchen.target
    # Told another time that was past, too: due stays, and so nothing of it is recorded.
    amend(order, pickup_time=datetime(2026, 1, 2, tzinfo=UTC))
    assert [field for _, field, _, _ in record(order)] == ["pickup_time", "due_at", "pickup_time"]


def test_a_recall_takes_back_the_status_and_leaves_the_amendment() -> None:
    order = factories.order(None, None)
    move_item(order.id, "P0", PREPARING, actor="screen:Grill")
    amend(order, note="no onion", items={"P0": ItemAmendment(quantity=2)})
    move_order(order.id, READY, actor="screen:Grill")
    amend(order, note="no garlic")

    back = recall(order.id, actor="screen:Grill")
    assert (back.status, back.version, back.note) == (PREPARING, 6, "no garlic")
    back = recall(order.id, plu="P0", actor="screen:Grill")
    assert (back.status, back.version, back.note, back.loaded_items[0].quantity) == (
        RECEIVED,
        7,
        "no garlic",
        2,
    )
    rows = StatusChange.objects.filter(order_id=order.id).values_list("change", flat=True)
    assert sorted(set(rows)) == [1, 2, 4, 6, 7]
    assert differences() == []


def test_updated_at_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    order = factories.order(None)
    first = amend(order, note="one").updated_at
    monkeypatch.setattr(clock, "now", lambda: first - timedelta(minutes=5))
    assert amend(order, note="two").updated_at >= first
    assert move_order(order.id, READY, actor="screen:Grill").updated_at >= first


def test_who_listens_is_told_inside_the_transaction() -> None:
    order = factories.order(None)

    def refuse(**told: Any) -> None:
        assert (told["order"].note, told["amendment"].version) == ("x", 2)
        raise RuntimeError("boom")

    order_amended.connect(refuse, sender=Order)
    try:
        with pytest.raises(RuntimeError, match="boom"):
            amend(order, note="x", items={"P0": ItemAmendment(quantity=2)})
    finally:
        order_amended.disconnect(refuse, sender=Order)
    assert Order.objects.get().note == ""
    assert OrderItem.objects.get().quantity == 1
    assert not Amendment.objects.exists()


@pytest.mark.parametrize("items", [1, 50])
def test_an_amendment_costs_five_statements_however_many_items(items: int) -> None:
    order = factories.order(*[None] * items)
    with CaptureQueriesContext(connection) as asked:
        amend(order, note="x", items={f"P{n}": ItemAmendment(quantity=2) for n in range(items)})
    own = [q["sql"] for q in asked if "orders_" in q["sql"]]
    assert len(own) == 5, own
    assert own[0].endswith("FOR UPDATE OF orders_order")


@pytest.mark.parametrize(
    "statement", ["UPDATE orders_amendment SET actor = 'nobody'", "DELETE FROM orders_amendment"]
)
def test_the_database_refuses_to_change_amendments(statement: str) -> None:
    amend(factories.order(None), note="x")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    with pytest.raises(TypeError, match="append-only"):
        Amendment.objects.update(reason="")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL huuva.retention = 'on'")
        cursor.execute("DELETE FROM orders_amendment")
        cursor.execute("SET LOCAL huuva.retention = 'off'")
