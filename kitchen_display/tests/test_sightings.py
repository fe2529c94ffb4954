"""An order that no screen shows is an alert."""

from datetime import timedelta

import pytest

from kitchen_display import sightings
from kitchen_display.models import Screen, Sighting
from kitchen_display.sightings import unseen_orders
from kitchen_display.tasks import watch_unseen
from kitchen_display.tests import factories as make
from orders import clock
from orders.services import move_order
from orders.statuses import PICKED_UP
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def wall():
    client = make.paired(make.screen())
    Screen.objects.update(paired_at=clock.now() - timedelta(hours=1))
    return client


@pytest.fixture
def later(monkeypatch):
    """Some seconds later."""
    real = clock.now

    def go(seconds=16):
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=seconds))

    return go


def unseen():
    return [order.order_id for order in unseen_orders()]


def test_an_order_that_no_screen_has_shown_within_15_s_is_an_alert(wall, later):
    order = make.order()
    later(14)
    assert unseen() == []
    later(16)
    assert unseen() == [order.id]
    assert 15 < unseen_orders()[0].seconds < 20
    assert watch_unseen() == 1


def test_an_order_of_before_the_clock_was_set_back_is_an_alert_too(wall, later):
    order = make.order()
    later(-7200)
    assert unseen() == [order.id]
    # A screen that was paired by the clock of before is one all the same.
    Screen.objects.update(paired_at=clock.now() + timedelta(hours=1))
    assert unseen() == [order.id]


@pytest.mark.parametrize("way", ["post", "with the board"])
def test_an_order_that_a_screen_has_shown_is_none(wall, later, way):
    order = make.order()
    if way == "post":
        assert wall.post("/display/seen", {"orders": [order.id]}).status_code == 204
    else:
        wall.get("/display/board", {"seen": [order.id]}, headers=make.SCRIPT)
    later()
    assert unseen() == []
    assert Sighting.objects.get().screen.name == "Expo"


def test_a_screen_sees_for_its_own_kitchen_only(wall, later):
    order = make.order()
    other = make.paired(make.screen("Other", of=orders.kitchen("other")))
    other.post("/display/seen", {"orders": [order.id, "no-such-order"]})
    later()
    assert unseen() == [order.id] and not Sighting.objects.exists()


def test_no_alert_where_no_screen_is_or_the_order_has_ended(wall, later):
    make.order(of=orders.kitchen("no-screens"))
    ended = make.order()
    move_order(ended.id, PICKED_UP, actor="user:ada")
    later()
    assert unseen() == []


def test_no_alert_without_a_paired_screen(wall, later):
    Screen.objects.update(revoked_at=clock.now())
    make.order()
    later()
    assert unseen() == []


def test_the_gauge_names_every_kitchen_with_a_screen(wall, later, client):
    make.order()
    later()
    assert 'huuva_orders_unseen{kitchen="main"} 1.0' in client.get("/metrics").content.decode()


def test_sightings_of_open_orders_stay(wall):
    open_order, ended = make.order(), make.order()
    wall.post("/display/seen", {"orders": [open_order.id, ended.id]})
    move_order(ended.id, PICKED_UP, actor="user:ada")
    Sighting.objects.update(at=clock.now() - sightings.KEEP - timedelta(minutes=1))
    assert sightings.purge_sightings() == 1
    assert Sighting.objects.get().order_id == open_order.id
