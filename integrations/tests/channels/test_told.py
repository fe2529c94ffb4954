"""What really arrives at a channel: our changes through the loop of deliveries, to a receiver that fails at first."""

import json

import pytest

from integrations.channels.secrets import is_signed
from integrations.deliveries.loop import Loop
from integrations.models import Delivery
from integrations.tests.channels import factories as make
from integrations.tests.sinks import no_waiting, work_off
from orders.pace import set_pace
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY
from orders.tests.factories import kitchen, order
from tests.receiver import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("open_network")]


def heard(receiver: Receiver, path: str = "/status", answered: str = "ok") -> list[dict]:
    found = [one for one in receiver.requests if one.path == path and one.answered == answered]
    assert all(is_signed(make.SECRET, one.body, one.headers[make.HEADER]) for one in found)
    return [json.loads(one.body) for one in found]


def statuses(receiver: Receiver, answered: str = "ok") -> list[tuple[str, int]]:
    return [(body["orderId"], body["status"]) for body in heard(receiver, answered=answered)]


def test_a_channel_hears_of_each_change_of_its_orders_in_its_numbers(receiver: Receiver, loop: Loop) -> None:
    make.link(status_url=receiver.url("/status"))
    make.send(make.body())
    order(channel="Wolt")  # of the same channel's name, but not of this link
    move_item("deliverect:d-1", "CAT1-0001", PREPARING, actor="screen:grill")
    move_order("deliverect:d-1", READY, actor="screen:grill")
    recall("deliverect:d-1", actor="screen:grill")
    move_order("deliverect:d-1", READY, actor="screen:grill")
    move_order("deliverect:d-1", PICKED_UP, actor="screen:grill")
    work_off(loop)
    assert statuses(receiver) == [("d-1", status) for status in (20, 50, 70, 50, 70, 90)]


def test_a_cancellation_is_confirmed(receiver: Receiver, loop: Loop) -> None:
    make.link(status_url=receiver.url("/status"))
    make.send(make.cancel())
    make.send(make.body())
    make.send(make.body("d-2"))
    make.send(make.cancel("d-2"))
    work_off(loop)
    assert sorted(statuses(receiver)) == [("d-1", 110), ("d-2", 20), ("d-2", 110)]


def test_a_channel_that_fails_is_told_again_in_the_order_of_the_changes(
    receiver: Receiver, loop: Loop
) -> None:
    receiver.answer = lambda path, number, body: "fail" if number <= 2 else "ok"
    make.link(status_url=receiver.url("/status"))
    make.send(make.body())
    move_order("deliverect:d-1", READY, actor="screen:grill")
    move_order("deliverect:d-1", CANCELLED, actor="user:anna", reason="Power is out")
    for _ in range(4):
        work_off(loop)
        no_waiting()
    assert statuses(receiver, "fail") == [("d-1", 20)] * 2
    assert statuses(receiver) == [("d-1", 20), ("d-1", 70), ("d-1", 110)]
    assert heard(receiver)[-1]["reason"] == "Power is out"
    assert {delivery.state for delivery in Delivery.objects.all()} == {Delivery.State.DELIVERED}


def test_a_pause_arrives_and_only_the_latest(receiver: Receiver, loop: Loop) -> None:
    make.link(busy_url=receiver.url("/busy"))
    for mode in ("busy", "paused"):
        set_pace(kitchen(), mode=mode, busy_minutes=20, preparation_minutes=25, actor="screen:expo")
    work_off(loop)
    (body,) = heard(receiver, "/busy")
    assert (body["status"], body["locationId"], body["prepTime"]) == ("PAUSED", make.LOCATION, 25)


def test_a_channel_without_a_status_url_is_told_nothing_and_nothing_waits(
    receiver: Receiver, loop: Loop
) -> None:
    make.link()
    make.send(make.body())
    work_off(loop)
    assert receiver.requests == []
    assert {delivery.state for delivery in Delivery.objects.all()} == {Delivery.State.SKIPPED}
