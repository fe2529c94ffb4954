from datetime import UTC, datetime, timedelta

import pytest

from orders.errors import OrderExists
from orders.models import Order, StatusChange
from orders.services import create_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED, Kind
from orders.tests import factories

pytestmark = pytest.mark.django_db


def rows(order: Order) -> list[tuple[str | None, int | None, int, int]]:
    history = StatusChange.objects.filter(order_id=order.id).order_by("sequence")
    return list(history.values_list("plu", "from_status", "to_status", "kind"))


def test_a_new_order_is_received_and_each_item_ordered() -> None:
    order = factories.order()
    assert rows(order) == [(plu, None, RECEIVED, Kind.TRANSITION) for plu in (None, "P0", "P1", "P2")]
    assert (order.version, order.sequence) == (1, 4)


def test_the_history_that_a_channel_sends_is_kept_as_given() -> None:
    day = datetime(2021, 7, 22, 20, tzinfo=UTC)
    order = factories.order(None, history=[(PICKED_UP, day), (RECEIVED, day + timedelta(minutes=2))])
    assert rows(order) == [
        (None, None, PICKED_UP, Kind.IMPORT),
        (None, PICKED_UP, RECEIVED, Kind.IMPORT),
        ("P0", None, RECEIVED, Kind.TRANSITION),
    ]
    assert StatusChange.objects.get(order_id=order.id, sequence=2).at == day + timedelta(minutes=2)


def test_a_history_that_ends_elsewhere_gets_one_row_more() -> None:
    order = factories.order(None, status=PREPARING, history=[(RECEIVED, datetime(2021, 1, 1, tzinfo=UTC))])
    assert rows(order)[:2] == [
        (None, None, RECEIVED, Kind.IMPORT),
        (None, RECEIVED, PREPARING, Kind.TRANSITION),
    ]


def test_items_without_a_status_take_the_orders() -> None:
    order = factories.order(None, RECEIVED, status=PREPARING)
    assert [item.status for item in order.items.order_by("position")] == [PREPARING, RECEIVED]


@pytest.mark.parametrize("status", [READY, PICKED_UP, CANCELLED])
def test_items_behind_follow_an_order_that_comes_ready_or_beyond(status: int) -> None:
    order = factories.order(RECEIVED, PICKED_UP, CANCELLED, status=status)
    assert [item.status for item in order.items.order_by("position")] == [status, PICKED_UP, CANCELLED]


def test_it_is_due_at_its_pickup_time() -> None:
    order = factories.order()
    assert order.due_at == order.pickup_time


def test_a_pickup_time_in_the_past_is_replaced_by_the_kitchens_target() -> None:
    before = datetime.now(UTC)
    kitchen = factories.kitchen("slow", target_minutes=40)
    order = factories.order(of=kitchen, pickup_in=timedelta(days=-900))
    assert timedelta(0) <= order.due_at - before - timedelta(minutes=40) < timedelta(minutes=1)


def test_an_id_is_taken_once() -> None:
    first = factories.order(note="first")
    with pytest.raises(OrderExists):
        create_order(
            factories.new_order(id=first.id, note="second"), kitchen=factories.kitchen(), actor="key:test"
        )
    assert Order.objects.get().note == "first"
    assert StatusChange.objects.count() == 4


def test_money_takes_the_kitchens_currency() -> None:
    assert factories.order(of=factories.kitchen("oslo", currency="NOK")).currency == "NOK"
