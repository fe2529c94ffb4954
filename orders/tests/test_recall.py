from datetime import timedelta

import pytest

from orders import clock
from orders.errors import CancellationIsFinal, NothingToRecall, RecallBlocked, RecallExpired
from orders.models import StatusChange
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED, Kind
from orders.tests import factories
from orders.tests.test_moves import state

pytestmark = pytest.mark.django_db
WHO = {"actor": "screen:expo"}


def test_a_recall_takes_back_the_whole_latest_change() -> None:
    order = factories.order(RECEIVED, PREPARING, READY)
    move_order(order.id, READY, **WHO)
    recall(order.id, **WHO, reason="wrong ticket")
    assert state(order) == (RECEIVED, [RECEIVED, PREPARING, READY])
    written = StatusChange.objects.filter(order_id=order.id, kind=Kind.RECALL)
    assert set(written.values_list("change", "recalls", "reason", "actor")) == {
        (3, 2, "wrong ticket", "screen:expo")
    }


def test_recalls_walk_back_change_by_change() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_item(order.id, "P0", READY, **WHO)
    move_item(order.id, "P1", READY, **WHO)
    assert state(order) == (READY, [READY, READY])
    recall(order.id, **WHO)
    assert state(order) == (PREPARING, [READY, RECEIVED])
    recall(order.id, **WHO)
    assert state(order) == (RECEIVED, [RECEIVED, RECEIVED])
    with pytest.raises(NothingToRecall):
        recall(order.id, **WHO)
    assert state(order) == (RECEIVED, [RECEIVED, RECEIVED])


def test_a_creation_is_not_recalled() -> None:
    order = factories.order(status=READY)
    with pytest.raises(NothingToRecall):
        recall(order.id, **WHO)


def test_a_lifted_order_follows_its_item_back() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_item(order.id, "P0", READY, **WHO)
    move_item(order.id, "P1", READY, **WHO)
    recall(order.id, plu="P0", **WHO)
    assert state(order) == (PREPARING, [RECEIVED, READY])
    recall(order.id, plu="P1", **WHO)
    assert state(order) == (RECEIVED, [RECEIVED, RECEIVED])


def test_an_order_that_somebody_started_stays_started() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_order(order.id, PREPARING, **WHO)
    move_item(order.id, "P0", READY, **WHO)
    recall(order.id, plu="P0", **WHO)
    assert state(order) == (PREPARING, [PREPARING, PREPARING])


def test_an_item_that_moved_on_blocks_the_recall_of_the_change_before() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_order(order.id, PREPARING, **WHO)
    move_item(order.id, "P0", READY, actor="screen:grill")
    with pytest.raises(RecallBlocked, match="change 3 of screen:grill"):
        recall(order.id, plu="P1", **WHO)
    assert state(order) == (PREPARING, [READY, PREPARING])


def test_a_cancellation_stays() -> None:
    order = factories.order()
    move_order(order.id, CANCELLED, **WHO)
    with pytest.raises(CancellationIsFinal):
        recall(order.id, **WHO)
    assert state(order) == (CANCELLED, [CANCELLED, CANCELLED, CANCELLED])


def test_an_item_can_be_recalled_behind_the_cancellation_of_another() -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_item(order.id, "P0", READY, **WHO)
    move_item(order.id, "P1", CANCELLED, **WHO)
    assert state(order) == (READY, [READY, CANCELLED])
    recall(order.id, plu="P0", **WHO)
    assert state(order) == (RECEIVED, [RECEIVED, CANCELLED])


def test_a_pickup_can_be_recalled() -> None:
    order = factories.order(status=READY)
    move_order(order.id, PICKED_UP, **WHO)
    recall(order.id, **WHO)
    assert state(order) == (READY, [READY, READY, READY])


def test_a_change_can_be_recalled_for_as_long_as_the_kitchen_says(monkeypatch: pytest.MonkeyPatch) -> None:
    order = factories.order(of=factories.kitchen("brisk", recall_minutes=5))
    move_order(order.id, PREPARING, **WHO)
    late = clock.now() + timedelta(minutes=5, seconds=1)
    monkeypatch.setattr("orders.clock.now", lambda: late)
    with pytest.raises(RecallExpired):
        recall(order.id, **WHO)
    assert state(order) == (PREPARING, [PREPARING, PREPARING, PREPARING])


def test_what_was_recalled_can_be_done_again_and_recalled_again() -> None:
    order = factories.order(RECEIVED)
    for _ in range(3):
        move_order(order.id, READY, **WHO)
        recall(order.id, **WHO)
    assert state(order) == (RECEIVED, [RECEIVED])
    assert StatusChange.objects.filter(order_id=order.id).count() == 2 + 3 * 4


@pytest.mark.parametrize(
    ("end", "refusal"),
    [(READY, RecallBlocked), (PICKED_UP, RecallBlocked), (CANCELLED, CancellationIsFinal)],
)
def test_an_item_is_not_recalled_under_an_order_that_was_moved_since(
    end: int, refusal: type[Exception]
) -> None:
    order = factories.order(RECEIVED, RECEIVED)
    move_item(order.id, "P0", min(end, PICKED_UP), **WHO)
    move_order(order.id, end, **WHO)
    with pytest.raises(refusal):
        recall(order.id, plu="P0", **WHO)
    assert state(order) == (end, [min(end, PICKED_UP), end])


def test_a_lift_is_taken_back_even_where_the_kitchen_no_longer_lifts() -> None:
    order = factories.order(RECEIVED)
    move_item(order.id, "P0", PICKED_UP, **WHO)
    order.kitchen.auto_advance = False
    order.kitchen.save()
    recall(order.id, **WHO)
    assert state(order) == (RECEIVED, [RECEIVED])


def test_the_latest_lift_is_taken_back_to_what_was_before_it() -> None:
    order = factories.order(READY, READY)
    assert state(order) == (RECEIVED, [READY, READY])
    move_item(order.id, "P0", PICKED_UP, **WHO)
    assert state(order) == (READY, [PICKED_UP, READY])
    recall(order.id, **WHO)
    assert state(order) == (RECEIVED, [READY, READY])
