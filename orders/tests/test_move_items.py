"""A station's part of an order moves as one change."""

import pytest

from orders.errors import StaleVersion
from orders.models import Order, OrderItem, StatusChange
from orders.recall import recall
from orders.services import move_item, move_items, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db
ACTOR = "screen:grill"


def statuses(order: Order) -> tuple[int, list[int]]:
    items = OrderItem.objects.filter(order_id=order.id).order_by("position")
    return Order.objects.get(pk=order.id).status, [item.status for item in items]


def rows(order: Order, change: int) -> list[tuple[str | None, int | None, int]]:
    found = StatusChange.objects.filter(order_id=order.id, change=change).order_by("sequence")
    return list(found.values_list("plu", "from_status", "to_status"))


def test_all_items_in_one_change_and_the_order_lifted_last() -> None:
    order = factories.order(RECEIVED, RECEIVED, RECEIVED)
    move_items(order.id, ["P2", "P0"], READY, actor=ACTOR)
    assert statuses(order) == (PREPARING, [READY, RECEIVED, READY])
    assert rows(order, 2) == [("P0", RECEIVED, READY), ("P2", RECEIVED, READY), (None, RECEIVED, PREPARING)]


def test_items_that_are_there_already_or_have_ended_stay() -> None:
    order = factories.order(RECEIVED, RECEIVED, RECEIVED)
    move_item(order.id, "P0", PICKED_UP, actor=ACTOR)
    move_item(order.id, "P1", CANCELLED, actor=ACTOR)
    move_items(order.id, ["P0", "P1", "P2"], READY, actor=ACTOR)
    assert statuses(order) == (READY, [PICKED_UP, CANCELLED, READY])
    before = Order.objects.get(pk=order.id).version
    assert move_items(order.id, ["P0", "P1", "P2"], READY, actor=ACTOR).version == before


def test_one_recall_takes_the_whole_change_back() -> None:
    order = factories.order(RECEIVED, RECEIVED, RECEIVED)
    move_items(order.id, ["P0", "P1"], READY, actor=ACTOR)
    recall(order.id, plu="P1", actor=ACTOR)
    assert statuses(order) == (RECEIVED, [RECEIVED, RECEIVED, RECEIVED])


def test_without_lifting_the_order_stays() -> None:
    order = factories.order(RECEIVED, RECEIVED, of=factories.kitchen(auto_advance=False))
    move_items(order.id, ["P0", "P1"], READY, actor=ACTOR)
    assert statuses(order) == (RECEIVED, [READY, READY])


def test_refusals_change_nothing() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    with pytest.raises(OrderItem.DoesNotExist):
        move_items(order.id, ["P0", "P9"], READY, actor=ACTOR)
    with pytest.raises(StaleVersion):
        move_items(order.id, ["P0"], READY, actor=ACTOR, expected={7})
    with pytest.raises(Order.DoesNotExist):
        move_items(order.id, ["P0"], READY, actor=ACTOR, kitchen="elsewhere")
    assert statuses(order) == (RECEIVED, [RECEIVED, RECEIVED])


def test_items_of_a_cancelled_order_stay_where_they_are() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_order(order.id, CANCELLED, actor=ACTOR)
    assert move_items(order.id, ["P0"], READY, actor=ACTOR).version == 2
    assert statuses(order) == (CANCELLED, [CANCELLED, CANCELLED])
