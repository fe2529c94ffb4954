"""What channels hear of us."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from integrations.channels.outbound import FAILED, PACE, ChannelUpdates, notify_failed
from integrations.channels.secrets import is_signed
from integrations.deliveries import Message, PendingDelivery
from integrations.events import CREATED, RECALLED, STATUS_CHANGED
from integrations.models import ChannelLink, ChannelLocation, ChannelMessage, Delivery
from integrations.tests.channels import factories as make
from orders import clock
from orders.models import Order, StatusChange
from orders.pace import set_pace
from orders.recall import recall
from orders.services import move_item, move_order
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY
from orders.tests.factories import kitchen, order

pytestmark = pytest.mark.django_db

STATUS_URL, BUSY_URL = "https://channel.example/status", "https://channel.example/busy"


def link(**fields) -> ChannelLink:
    return make.link(status_url=STATUS_URL, busy_url=BUSY_URL, account="account-1", **fields)


def rendered(rows: Iterable[tuple[str, int, str]], link: ChannelLink) -> list[Message | None]:
    due = [
        PendingDelivery(number, link.pk, order_id, sequence, 0, event, clock.now(), 1)
        for number, (order_id, sequence, event) in enumerate(rows)
    ]
    found = ChannelUpdates().render(due)
    return [found[one.id] for one in due]


def told(link: ChannelLink, order_id: str = "deliverect:d-1") -> list[int]:
    """The statuses that go out for an order, one for each of its own changes."""
    rows = StatusChange.objects.filter(order_id=order_id, plu=None).order_by("sequence")
    events = [(order_id, row.sequence, CREATED if row.sequence == 1 else STATUS_CHANGED) for row in rows]
    return [json.loads(message.body)["status"] for message in rendered(events, link) if message]


def test_each_change_of_ours_goes_back_in_its_numbers():
    made = link()
    make.send(make.body())
    for status in (PREPARING, READY, PICKED_UP):
        move_order("deliverect:d-1", status, actor="screen:grill")
    assert told(made) == [20, 50, 70, 90]


def test_a_cancellation_of_ours_goes_back_with_its_reason_and_signature():
    made = link()
    make.send(make.body())
    move_order("deliverect:d-1", CANCELLED, actor="user:anna", reason="Out of rice")
    row = StatusChange.objects.filter(plu=None).latest("sequence")
    (message,) = rendered([("deliverect:d-1", row.sequence, STATUS_CHANGED)], made)
    assert message is not None
    assert (message.url, message.method) == (STATUS_URL, "POST")
    assert json.loads(message.body) == {
        "orderId": "d-1",
        "status": 110,
        "reason": "Out of rice",
        "timeStamp": f"{row.at:%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    assert message.headers["Content-Type"] == "application/json"
    assert is_signed(make.SECRET, message.body, message.headers[make.HEADER])


def test_a_recall_tells_where_the_order_is_again():
    made = link()
    make.send(make.body())
    move_order("deliverect:d-1", READY, actor="screen:grill")
    recall("deliverect:d-1", actor="screen:grill")
    assert told(made) == [20, 70, 20]


def test_an_order_that_arrives_cancelled_is_told_to_be():
    made = link()
    make.send(make.cancel())
    make.send(make.body())
    assert told(made) == [110]


def test_the_first_change_of_an_order_with_a_past_tells_where_it_led():
    made = link()
    past = [{"timeStamp": "2026-07-22T20:08:02Z", "status": 10}]
    make.send(make.body(status=50, statusHistory=past))
    (message,) = rendered([("deliverect:d-1", 1, CREATED)], made)
    assert message is not None
    assert json.loads(message.body)["status"] == 50


def test_orders_of_others_are_not_told():
    made = link()
    other = make.link("other", external_id="other", status_url=STATUS_URL)
    make.send(make.body())
    mine = order(channel="Wolt")
    assert rendered([(mine.id, 1, CREATED), ("deliverect:d-1", 99, STATUS_CHANGED), ("gone", 1, CREATED)], made) == [
        None, None, None,
    ]  # fmt: skip
    assert rendered([("deliverect:d-1", 1, CREATED)], other) == [None]


def test_without_a_status_url_or_switched_off_nothing_is_told():
    made = link()
    make.send(make.body())
    ChannelLink.objects.update(status_url="")
    assert rendered([("deliverect:d-1", 1, CREATED)], made) == [None]
    ChannelLink.objects.update(status_url=STATUS_URL, is_active=False)
    assert rendered([("deliverect:d-1", 1, CREATED)], made) == [None]


def test_a_link_wants_the_events_of_its_orders_alone():
    made = link()
    assert (made.kind, made.channel, made.events) == ("channel", "Wolt", [CREATED, STATUS_CHANGED, RECALLED])


def test_many_deliveries_cost_a_few_queries(django_assert_num_queries):
    made = link()
    for number in range(10):
        make.send(make.body(f"d-{number}"))
        move_item(f"deliverect:d-{number}", "CAT1-0001", READY, actor="screen:grill")
    rows = [(order.id, 1, CREATED) for order in Order.objects.all()]
    with django_assert_num_queries(3):
        assert all(rendered(rows, made))


def test_an_order_that_nobody_can_take_in_is_told_to_have_failed():
    made = link()
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    assert notify_failed(message, clock.now()) is True
    assert notify_failed(message, clock.now()) is True
    delivery = Delivery.objects.get()
    (sent,) = rendered([(delivery.order_id, delivery.sequence, FAILED)], made)
    assert sent is not None
    assert (json.loads(sent.body)["orderId"], json.loads(sent.body)["status"]) == ("d-1", 120)
    # It may still be taken in, and is no cancelled order then.
    ChannelLocation.objects.update(kitchen=kitchen())
    assert make.send(make.body(location="elsewhere")).status_code == 200
    assert told(made) == [20]


# --- Pace -------------------------------------------------------------------------------------------------------------


def pace(mode: str, minutes: int = 15, preparation: int | None = None, of: str = "main"):
    return set_pace(
        kitchen(of), mode=mode, busy_minutes=minutes, preparation_minutes=preparation, actor="screen:expo"
    )


def waiting() -> list[tuple[str, int, str]]:
    found = Delivery.objects.filter(state=Delivery.State.WAITING).order_by("id")
    return list(found.values_list("order_id", "sequence", "event_type"))


def test_a_pause_is_told_for_each_place_of_the_kitchen():
    made = link()
    make.LocationFactory(link=made, external_id="location-2", kitchen=kitchen())
    make.LocationFactory(link=made, external_id="location-3", kitchen=kitchen("other"))
    make.LocationFactory(link=made, external_id="location-4")
    pace("paused")
    assert waiting() == [("/pace/location-1", 1, PACE), ("/pace/location-2", 1, PACE)]
    first, _second = rendered(waiting(), made)
    assert first is not None
    assert first.url == BUSY_URL
    assert json.loads(first.body) == {
        "accountId": "account-1",
        "locationId": "location-1",
        "channelLinkId": make.LINK_ID,
        "status": "PAUSED",
    }
    assert is_signed(make.SECRET, first.body, first.headers[make.HEADER])


@pytest.mark.parametrize(
    "mode, preparation, said",
    [
        ("busy", None, {"status": "BUSY", "delay": 30}),
        ("busy", 20, {"status": "BUSY", "delay": 30, "prepTime": 20}),
        ("paused", 20, {"status": "PAUSED", "prepTime": 20}),
        ("online", 20, {"status": "ONLINE", "prepTime": 20}),
    ],
)
def test_minutes_go_with_it(mode, preparation, said):
    made = link()
    pace("paused", 45)
    pace(mode, 30, preparation)
    (message,) = rendered(waiting(), made)
    assert message is not None
    assert said.items() <= json.loads(message.body).items()
    assert ("delay" in json.loads(message.body)) is (mode == "busy")


def test_only_the_latest_is_told():
    made = link()
    pace("paused")
    early = waiting()
    # The loop has it in hand: it stays, but says nothing any more.
    Delivery.objects.update(leased_until=clock.now() + timedelta(minutes=1))
    pace("busy")
    pace("online")
    assert [sequence for _, sequence, _ in waiting()] == [1, 3]
    assert Delivery.objects.filter(state=Delivery.State.SKIPPED).count() == 1
    assert rendered(early, made) == [None]


def test_the_same_pace_again_is_told_to_nobody():
    link()
    pace("online")
    pace("paused")
    pace("paused")
    assert [sequence for _, sequence, _ in waiting()] == [1]


def test_who_has_no_busy_url_or_is_switched_off_is_told_nothing():
    made = make.link()
    pace("paused")
    ChannelLink.objects.update(busy_url=BUSY_URL, is_active=False)
    pace("busy")
    assert waiting() == []
    assert rendered([("/pace/location-1", 2, PACE)], made) == [None]
