"""What becomes of messages: repeats, cancellations, places that nobody knows."""

import json

import pytest
from django.db import OperationalError

from integrations.channels import intake
from integrations.models.channels import ChannelLocation, ChannelMessage, ChannelOrder
from integrations.tests.channels import factories as make
from orders.models import Order, StatusChange
from orders.services import move_order
from orders.statuses import CANCELLED, PICKED_UP, READY
from orders.tests.factories import kitchen, order

pytestmark = pytest.mark.django_db

Outcome = ChannelMessage.Outcome


def outcomes() -> list[str]:
    return list(ChannelMessage.objects.order_by("at", "id").values_list("outcome", flat=True))


def the_order() -> Order:
    return Order.objects.get(pk="deliverect:d-1")


# --- Repeats ----------------------------------------------------------------------------------------------------------


def test_a_repeat_is_answered_like_the_first_and_does_nothing():
    make.link()
    first, second = make.send(make.body()), make.send(make.body())
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert the_order().version == 1
    assert outcomes() == ["taken", "repeated"]


def test_a_repeat_after_the_kitchen_has_begun_changes_nothing():
    make.link()
    first = make.send(make.body())
    move_order("deliverect:d-1", READY, actor="user:anna")
    assert make.send(make.body()).content == first.content
    assert the_order().status == READY


def test_news_of_a_courier_is_kept_and_moves_nothing():
    make.link()
    make.send(make.body())
    for status in (80, 83, 89, 115, 90, 777):
        assert make.send(make.body(status=status)).json() == {"id": "deliverect:d-1"}
    assert the_order().version == 1
    assert outcomes() == ["taken", *["noted"] * 6]
    assert ChannelMessage.objects.filter(channel_status="83").get().payload


def test_what_was_refused_is_tried_anew():
    make.link()
    assert make.send(make.body(location="elsewhere")).status_code == 422
    ChannelLocation.objects.filter(external_id="elsewhere").update(kitchen=kitchen())
    assert make.send(make.body(location="elsewhere")).status_code == 200
    refused = ChannelMessage.objects.get(outcome=Outcome.UNKNOWN_LOCATION)
    assert (refused.settled_at is not None, refused.settled_by) == (True, "channel:deliverect")


def test_an_id_that_somebody_else_has_used_is_a_conflict():
    make.link()
    order(id="deliverect:d-1")
    answer = make.send(make.body())
    assert (answer.status_code, answer.json()["code"]) == (409, "order_exists")
    assert outcomes() == ["refused"]
    assert not ChannelOrder.objects.exists()


# --- Cancellations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [100, 110, 120, "100"])
def test_the_same_id_with_status_100_cancels(status):
    make.link()
    make.send(make.body())
    history = [
        {"timeStamp": "2026-07-22T20:30:00Z", "status": status, "response": "Customer changed their mind"}
    ]
    answer = make.send(make.body(status=status, statusHistory=history))
    assert (answer.status_code, answer.json()) == (200, {"id": "deliverect:d-1"})
    last = StatusChange.objects.filter(plu=None).latest("sequence")
    assert (last.to_status, last.actor) == (CANCELLED, "channel:deliverect")
    assert last.reason == "Customer changed their mind"
    assert {item.status for item in the_order().items.all()} == {CANCELLED}


@pytest.mark.parametrize(
    "odd", [{"statusHistory": {}}, {"statusHistory": "none"}, {"location": 7}, {"location": "x" * 300}]
)
def test_a_cancellation_counts_whatever_else_it_says(odd):
    make.link()
    make.send(make.body())
    assert make.send(make.cancel(**odd)).status_code == 200
    assert the_order().status == CANCELLED


def test_a_cancellation_needs_no_more_than_the_id():
    make.link()
    make.send(make.body())
    answer = make.send({"_id": "d-1", "channelLink": make.LINK_ID, "status": 100})
    assert answer.status_code == 200
    assert the_order().status == CANCELLED


def test_a_cancellation_before_its_order_lets_it_arrive_cancelled():
    make.link()
    assert make.send(make.cancel()).json() == {"id": "deliverect:d-1"}
    assert not Order.objects.exists()
    assert make.send(make.body()).status_code == 200

    assert the_order().status == CANCELLED
    assert {item.status for item in the_order().items.all()} == {CANCELLED}
    assert outcomes() == ["waiting", "taken"]


def test_a_cancellation_after_ready_is_taken():
    make.link()
    make.send(make.body())
    move_order("deliverect:d-1", READY, actor="screen:pass")
    assert make.send(make.cancel()).status_code == 200
    assert the_order().status == CANCELLED


def test_a_repeated_cancellation_is_answered_like_the_first():
    make.link()
    early, again = make.send(make.cancel()), make.send(make.cancel())
    make.send(make.body())
    late = make.send(make.cancel())
    assert early.content == again.content == late.content
    assert outcomes() == ["waiting", "repeated", "taken", "repeated"]
    assert the_order().version == 1


def test_an_order_that_was_picked_up_cannot_be_cancelled_any_more():
    make.link()
    make.send(make.body())
    move_order("deliverect:d-1", PICKED_UP, actor="user:anna")
    answer = make.send(make.cancel())
    assert (answer.status_code, answer.json()["code"]) == (409, "impossible_move")
    assert the_order().status == PICKED_UP
    assert outcomes() == ["taken", "refused"]
    assert ChannelOrder.objects.get().cancelled_at is None


def test_one_links_cancellation_does_not_touch_anothers_order():
    make.link()
    make.link("other", secret="another secret", external_id="channel-link-2")
    make.send(make.body())
    make.send(make.cancel(channelLink="channel-link-2"), secret="another secret")
    assert the_order().status != CANCELLED


# --- Places -----------------------------------------------------------------------------------------------------------


def test_an_unknown_location_is_told_kept_and_waits_for_a_manager():
    make.link()
    answer = make.send(make.body(location="elsewhere"))

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_location")
    assert "elsewhere" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/location"
    assert not Order.objects.exists()
    message = ChannelMessage.objects.get()
    assert (message.outcome, message.location, message.external_id) == (
        "unknown_location",
        "elsewhere",
        "d-1",
    )
    assert json.loads(message.payload)["_id"] == "d-1"
    assert ChannelLocation.objects.get(external_id="elsewhere").kitchen is None
    # Again: the same, and the place stands there once.
    make.send(make.body("d-2", location="elsewhere"))
    assert ChannelLocation.objects.filter(kitchen=None).count() == 1


def test_a_cancellation_waits_for_an_order_of_an_unknown_location():
    link = make.link()
    make.send(make.body(location="elsewhere"))
    assert make.send(make.cancel(location="elsewhere")).status_code == 200
    ChannelLocation.objects.filter(external_id="elsewhere").update(kitchen=kitchen())
    refused = ChannelMessage.objects.get(outcome=Outcome.UNKNOWN_LOCATION)
    result, message = intake.process_message(
        link, refused.payload.encode(), request_id="replay", replay_of=refused
    )
    assert (result.problem, message.outcome, message.replay_of) == (None, Outcome.TAKEN, refused)
    assert the_order().status == CANCELLED


# --- Everything else --------------------------------------------------------------------------------------------------


def test_the_request_id_leads_to_the_message():
    make.link()
    make.send(make.body(), **{"X-Request-Id": "from-deliverect-1"})
    assert ChannelMessage.objects.get(request_id="from-deliverect-1").order_id == "deliverect:d-1"


def test_without_the_database_it_is_503_so_that_the_channel_retries(monkeypatch):
    make.link()

    def away(*_args, **_more):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(intake, "create_order", away)
    answer = make.send(make.body())
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert make.stored() == (0, 0, 1)


def test_no_customer_is_named_in_the_logs(capfd):
    make.link()
    for data in (
        make.body(),
        make.body(),
        make.cancel(),
        make.body("d-2", location="x"),
        make.body("d-3", items=[]),
    ):
        make.send(data)
    out, err = capfd.readouterr()
    for word in ("John", "123456789", "Ring twice"):
        assert word not in out + err


def test_a_message_costs_the_same_few_queries_however_many_items(django_assert_max_num_queries):
    make.link()
    items = [{"plu": f"P{n}", "name": "Dish", "quantity": 1} for n in range(100)]
    with django_assert_max_num_queries(20):
        make.send(make.body(items=items))
    with django_assert_max_num_queries(9):
        make.send(make.body(items=items))
