"""Cancellations of what was on the wall ring until somebody has seen them."""

from datetime import timedelta

import pytest
from django.db import transaction

from kitchen_display import alarms
from kitchen_display.models import Alarm
from kitchen_display.tests import factories as make
from orders import clock
from orders.errors import Refusal
from orders.models import Kitchen
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PREPARING, READY, RECEIVED
from orders.tests import factories as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def wall():
    return make.paired(make.screen())


def standing():
    return sorted(Alarm.objects.standing().values_list("order_id", "plu"))


def test_a_cancelled_order_is_one_alarm_a_cancelled_item_its_own(wall):
    whole, part = make.order("A", "B"), make.order("A", "B")
    move_order(whole.id, CANCELLED, actor="key:wolt")
    move_item(part.id, "B", CANCELLED, actor="key:wolt")
    assert standing() == sorted([(whole.id, ""), (part.id, "B")])


def test_the_last_item_cancelled_cancels_the_order(wall):
    order = make.order("A")
    move_item(order.id, "A", CANCELLED, actor="key:wolt")
    assert standing() == [(order.id, "")]


def test_nothing_rings_for_what_nobody_had_seen_on_a_wall(wall):
    waiting = make.order(due_in=600)
    move_order(waiting.id, CANCELLED, actor="key:wolt")
    make.order(status=CANCELLED)
    elsewhere = make.order(of=orders.kitchen("no-screens"))
    move_order(elsewhere.id, CANCELLED, actor="key:wolt")
    assert standing() == []


def test_an_order_for_later_that_was_begun_rings(wall):
    order = make.order(due_in=600)
    move_order(order.id, PREPARING, actor="screen:Expo")
    move_order(order.id, CANCELLED, actor="key:wolt")
    assert standing() == [(order.id, "")]


def test_a_begun_item_is_enough_where_items_do_not_lift_their_order(wall):
    Kitchen.objects.update(auto_advance=False)
    order = make.order("A", "B", due_in=600)
    move_item(order.id, "A", PREPARING, actor="screen:Expo")
    move_item(order.id, "B", CANCELLED, actor="key:wolt")
    assert standing() == [(order.id, "B")]


def test_an_order_that_came_cancelled_rings_not_even_with_a_past(wall):
    make.order(status=CANCELLED, history=[(RECEIVED, clock.now()), (PREPARING, clock.now())])
    assert standing() == []


def test_an_alarm_ends_when_somebody_has_seen_it(wall):
    order = make.order("A", "B")
    move_item(order.id, "A", CANCELLED, actor="key:wolt")
    touch = {"order": order.id, "plu": "A"}
    assert wall.post("/display/acknowledge", touch, headers=make.SCRIPT).status_code == 200
    assert wall.post("/display/acknowledge", touch).status_code == 303  # twice is fine
    assert standing() == []
    assert Alarm.objects.get().acknowledged_by == "screen:Expo"


def test_a_screen_of_another_kitchen_ends_no_alarm(wall):
    order = make.order()
    move_order(order.id, CANCELLED, actor="key:wolt")
    other = make.paired(make.screen("Other", of=orders.kitchen("other")))
    other.post("/display/acknowledge", {"order": order.id})
    assert standing() == [(order.id, "")]


def test_alarm_and_cancellation_stand_or_fall_together(wall):
    order = make.order()
    with pytest.raises(Refusal), transaction.atomic():
        move_order(order.id, CANCELLED, actor="key:wolt")
        move_order(order.id, READY, actor="key:wolt")
    assert standing() == []


def test_old_alarms_are_removed(wall):
    order = make.order()
    move_order(order.id, CANCELLED, actor="key:wolt")
    assert alarms.purge_alarms() == 0
    Alarm.objects.update(raised_at=clock.now() - alarms.KEEP - timedelta(minutes=1))
    assert alarms.purge_alarms() == 1
