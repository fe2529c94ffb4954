import pytest

from orders import statuses
from orders.api.patches import RecallIn
from orders.consistency import differences
from orders.errors import ImpossibleMove, StaleVersion
from orders.models import Order, OrderItem, StatusChange
from orders.new import NewItem
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED
from orders.tests import factories

pytestmark = pytest.mark.django_db


def state(order: Order) -> tuple[int, list[int]]:
    """Statuses of the order and its items as stored; the books balance whenever it is asked."""
    assert differences() == []
    order.refresh_from_db()
    return order.status, [item.status for item in order.items.order_by("position")]


def test_statuses_only_move_forward_and_may_skip() -> None:
    for before, ways in statuses.MOVES.items():
        assert all(after > before for after in ways)
    assert statuses.MOVES[RECEIVED] == (PREPARING, READY, PICKED_UP, CANCELLED)


def test_an_order_takes_its_items_along() -> None:
    order = factories.order(RECEIVED, READY, PICKED_UP, CANCELLED)
    move_order(order.id, READY, actor="user:anna")
    assert state(order) == (READY, [READY, READY, PICKED_UP, CANCELLED])
    written = StatusChange.objects.filter(order_id=order.id, change=2).order_by("sequence")
    assert list(written.values_list("plu", "from_status", "to_status")) == [
        (None, RECEIVED, READY),
        ("P0", RECEIVED, READY),
    ]


@pytest.mark.parametrize("plu", [".", ".."])
def test_an_item_whose_plu_can_not_be_in_an_address_moves_with_its_order(plu: str) -> None:
    """Such PLUs were taken once. Moves of the order and recalls name them in no address."""
    order = factories.order(items=[NewItem(plu, {"name": "Soup", "quantity": 1})])
    move_order(order.id, READY, actor="user:anna")
    assert state(order) == (READY, [READY])
    recall(order.id, plu=RecallIn.read({"plu": plu}).plu, actor="user:anna")
    assert state(order) == (RECEIVED, [RECEIVED])


def test_a_cancelled_order_cancels_what_is_ready() -> None:
    order = factories.order(READY, PICKED_UP)
    move_order(order.id, CANCELLED, actor="user:anna", reason="no fish")
    assert state(order) == (CANCELLED, [CANCELLED, PICKED_UP])
    assert set(StatusChange.objects.filter(change=2).values_list("reason", flat=True)) == {"no fish"}


@pytest.mark.parametrize("end", [PICKED_UP, CANCELLED])
def test_what_has_ended_goes_nowhere(end: int) -> None:
    order = factories.order(status=end)
    for to in {*statuses.OrderStatus} - {end}:
        with pytest.raises(ImpossibleMove) as refusal:
            move_order(order.id, to, actor="user:anna")
        assert refusal.value.facts == {"current": statuses.ORDER_NAMES[end], "allowed": []}
    assert state(order) == (end, [end] * 3)
    assert StatusChange.objects.count() == 4


def test_the_same_status_again_changes_and_records_nothing() -> None:
    order = factories.order(status=PREPARING)
    move_order(order.id, PREPARING, actor="user:anna")
    move_item(order.id, "P0", PREPARING, actor="user:anna")
    assert StatusChange.objects.count() == 4
    assert Order.objects.get().version == 1


def test_ready_order_cannot_go_back_to_preparing() -> None:
    order = factories.order(status=READY)
    with pytest.raises(ImpossibleMove, match="key:test did that at") as refusal:
        move_order(order.id, PREPARING, actor="user:anna")
    assert refusal.value.facts["allowed"] == ["PICKED_UP", "CANCELLED"]
    assert state(order) == (READY, [READY, READY, READY])


def test_the_first_item_started_starts_the_order_and_pushes_no_other() -> None:
    order = factories.order()
    move_item(order.id, "P1", PREPARING, actor="screen:grill")
    assert state(order) == (PREPARING, [RECEIVED, PREPARING, RECEIVED])
    assert StatusChange.objects.filter(change=2).count() == 2


def test_the_last_item_ready_makes_the_order_ready() -> None:
    order = factories.order(READY, CANCELLED, RECEIVED)
    move_item(order.id, "P2", READY, actor="screen:grill")
    assert state(order) == (READY, [READY, CANCELLED, READY])


def test_a_cancelled_item_may_be_the_last_that_was_missing() -> None:
    order = factories.order(READY, RECEIVED)
    move_item(order.id, "P1", CANCELLED, actor="screen:grill")
    assert state(order) == (READY, [READY, CANCELLED])


def test_all_picked_up_or_all_cancelled_end_the_order() -> None:
    order = factories.order(PICKED_UP, READY)
    move_item(order.id, "P1", PICKED_UP, actor="screen:grill")
    assert state(order) == (PICKED_UP, [PICKED_UP, PICKED_UP])
    order = factories.order(RECEIVED)
    move_item(order.id, "P0", CANCELLED, actor="screen:grill")
    assert state(order) == (CANCELLED, [CANCELLED])


def test_where_the_kitchen_does_not_want_it_items_lift_nothing() -> None:
    order = factories.order(of=factories.kitchen("manual", auto_advance=False))
    for plu in ("P0", "P1", "P2"):
        move_item(order.id, plu, READY, actor="screen:grill")
    assert state(order) == (RECEIVED, [READY, READY, READY])


def test_a_plu_may_end_in_a_slash_and_the_address_too() -> None:
    order = factories.order(None)
    _, item = move_item(order.id, "P0/", PREPARING, actor="screen:grill")
    assert item.plu == "P0"
    with pytest.raises(OrderItem.DoesNotExist):
        move_item(order.id, "P0//", READY, actor="screen:grill")


def test_a_stale_version_changes_nothing() -> None:
    order = factories.order()
    move_order(order.id, PREPARING, actor="user:anna")
    with pytest.raises(StaleVersion):
        move_order(order.id, READY, actor="user:ben", expected={RECEIVED})
    assert state(order) == (PREPARING, [PREPARING, PREPARING, PREPARING])


def test_another_kitchens_order_is_not_there() -> None:
    order = factories.order()
    with pytest.raises(Order.DoesNotExist):
        move_order(order.id, PREPARING, actor="key:other", kitchen="elsewhere")


def test_time_never_runs_backwards_in_a_history(monkeypatch: pytest.MonkeyPatch) -> None:
    order = factories.order()
    earlier = order.changed_at.replace(year=2020)
    monkeypatch.setattr("orders.clock.now", lambda: earlier)
    moved = move_order(order.id, PREPARING, actor="user:anna")
    assert moved.changed_at == order.changed_at
