"""What a channel's messages do to the kitchen's walls."""

import pytest

from integrations.tests.channels import factories as channel
from kitchen_display.models import Alarm
from kitchen_display.tests import factories as wall
from orders.models import Order
from orders.services import move_order
from orders.statuses import CANCELLED, READY

pytestmark = pytest.mark.django_db


def test_a_cancellation_after_ready_is_accepted_and_raises_the_alarm() -> None:
    wall.paired(wall.screen())
    channel.link()
    channel.send(channel.body(pickupTime="2020-07-22T20:28:02Z"))
    move_order("deliverect:d-1", READY, actor="screen:expo")
    assert channel.send(channel.cancel()).status_code == 200
    assert Order.objects.get().status == CANCELLED
    assert Alarm.objects.get().order_id == "deliverect:d-1"


def test_an_order_that_arrives_cancelled_rings_nowhere() -> None:
    wall.paired(wall.screen())
    channel.link()
    channel.send(channel.cancel())
    channel.send(channel.body(pickupTime="2020-07-22T20:28:02Z"))
    assert Order.objects.get().status == CANCELLED
    assert not Alarm.objects.exists()
