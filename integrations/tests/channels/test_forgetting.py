"""Messages are forgotten in time; metrics count what came and what waits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.channels.purging import purge_channels
from integrations.models import ChannelMessage, ChannelOrder
from integrations.tests.channels import factories as make
from orders.models import Order
from orders.services import move_order
from orders.signals import customer_data_removed
from orders.statuses import READY
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


def test_messages_are_redacted_after_the_shortest_retention_of_a_kitchen(settings):
    settings.HUUVA_CHANNEL_LOG_DAYS = 14
    make.link()
    make.send(make.body())
    make.send(make.cancel("d-2"))
    old = timezone.now() - timedelta(days=10)
    ChannelMessage.objects.update(at=old)
    ChannelOrder.objects.update(created_at=old)
    assert purge_channels() == 0
    kitchen("short", retention_days=7)
    assert purge_channels() == 2
    # The order's memory stays, so that a late repeat is still one; a cancellation without an order goes.
    assert list(ChannelOrder.objects.values_list("order_id", flat=True)) == ["deliverect:d-1"]
    make.send(make.body())
    assert ChannelMessage.objects.get().outcome == "repeated"


def test_the_payloads_of_a_forgotten_customer_go_at_once():
    make.link()
    make.send(make.body())
    make.send(make.body("d-2"))
    erase = Order.objects.get(pk="deliverect:d-1")
    customer_data_removed.send(Order, order_ids=[erase.id])
    payloads = dict(ChannelMessage.objects.values_list("order_id", "payload"))
    assert payloads["deliverect:d-1"] == ""
    assert "John Doe" in payloads["deliverect:d-2"]


def test_the_metrics_count_what_came_and_what_waits(client):
    make.link()
    make.send(make.body())
    make.send(make.body(location="elsewhere"))
    move_order("deliverect:d-1", READY, actor="screen:x")
    text = client.get("/metrics").content.decode()
    assert 'huuva_channel_messages_last_hour{channel="deliverect",outcome="taken"} 1.0' in text
    assert 'huuva_channel_messages_last_hour{channel="deliverect",outcome="repeated"}' in text
    assert "huuva_channel_locations_unknown 0.0" in text
    make.send(make.body("d-2", location="elsewhere"))
    text = client.get("/metrics").content.decode()
    assert "huuva_channel_locations_unknown 1.0" in text
    assert "huuva_channel_messages_waiting 1.0" in text
