"""Every change of what screens show is a hint to them, once it is committed."""

import pytest

from kitchen_display import hints
from kitchen_display.board import read_board
from kitchen_display.pairing import revoke
from kitchen_display.tests import factories as make
from orders import clock
from orders.recall import recall
from orders.services import move_item
from orders.statuses import READY
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def hints_of(monkeypatch, django_capture_on_commit_callbacks):
    """Runs something, commits it, and gives the hints that went out."""
    sent = []
    monkeypatch.setattr(hints, "publish", lambda kitchen, kind=hints.ORDERS: sent.append((kitchen, kind)))

    def run(action):
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            action()
            assert sent == []  # not before the commit
        return list(sent)

    return run


def test_every_change_of_an_order_is_a_hint_to_its_kitchen(hints_of):
    kitchen = orders.kitchen("harju")
    created = []
    assert hints_of(lambda: created.append(make.order(of=kitchen))) == [("harju", "orders")]
    (order,) = created
    assert hints_of(lambda: move_item(order.id, "P0", READY, actor="screen:x")) == [("harju", "orders")]
    assert hints_of(lambda: move_item(order.id, "P0", READY, actor="screen:x")) == []  # nothing changed
    assert hints_of(lambda: recall(order.id, actor="screen:x")) == [("harju", "orders")]


def test_screens_get_a_hint_when_their_settings_or_pairing_change(hints_of):
    kitchen = orders.kitchen()
    screen = make.screen(of=kitchen)
    link = []
    assert hints_of(lambda: link.append(make.paired(screen))) == [("main", "screens")]
    assert hints_of(kitchen.save) == [("main", "screens")]
    assert hints_of(lambda: revoke(screen)) == [("main", "screens")]


def test_a_new_name_of_a_brand_shows_at_once(hints_of):
    screen = make.screen()
    make.paired(screen)
    make.order(brand_id="b")
    assert read_board(screen, clock.now()).tickets[0].brand.name == "b"
    sent = hints_of(lambda: orders.brand("b"))
    assert sent == [("main", "screens")]
    assert read_board(screen, clock.now()).tickets[0].brand.name == "Burger House"
