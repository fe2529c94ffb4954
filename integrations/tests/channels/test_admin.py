"""What a manager can do about messages of channels, and what an order's page tells of them."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.models import ChannelLocation, ChannelMessage, Delivery
from integrations.tests.channels import factories as make
from integrations.tests.channels.admin_pages import somebody, url
from orders import clock
from orders.models import KitchenMember, Order
from orders.statuses import CANCELLED
from orders.tests.factories import OrderFactory, kitchen

pytestmark = pytest.mark.django_db


def test_an_unknown_location_is_on_the_first_page_until_orders_are_in(manager):
    link = make.link()
    make.send(make.body("d-1", location="elsewhere"))
    make.send(make.body("d-2", location="elsewhere"))
    make.send(make.cancel("d-2", location="elsewhere"))
    front = manager.get(reverse("admin:index")).content.decode()
    assert "1 location of a channel has no kitchen" in front
    assert "2 messages of channels were refused" in front

    place = ChannelLocation.objects.get(external_id="elsewhere")
    shown = manager.get(url("channellocation_changelist")).content.decode()
    assert "none: orders are refused" in shown
    saved = manager.post(url("channellocation_change", place.pk), {"kitchen": "main"}, follow=True)
    assert "2 messages wait for this place" in saved.content.decode()
    assert not Order.objects.exists()

    action = {"action": "take_in", "_selected_action": [place.pk]}
    done = manager.post(url("channellocation_changelist"), action, follow=True).content.decode()
    assert "2 messages taken in." in done
    assert set(Order.objects.values_list("id", "status")) == {
        ("deliverect:d-1", 1),
        ("deliverect:d-2", CANCELLED),
    }
    settled = ChannelMessage.objects.filter(outcome="unknown_location")
    assert {message.settled_by for message in settled} == {"user:anna"}
    assert "of channels" not in manager.get(reverse("admin:index")).content.decode()
    assert link.locations.count() == 2


def test_a_refused_message_can_be_accepted_once_the_cause_is_fixed(manager):
    make.link()
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    page = manager.get(url("channelmessage_change", message.pk)).content.decode()
    assert "Take in now" in page
    assert "John Doe" in page

    again = manager.post(url("channelmessage_replay", message.pk), follow=True).content.decode()
    assert "No kitchen is set up for the location elsewhere" in again
    # It goes on waiting as one message, however often it is tried.
    assert list(ChannelMessage.objects.unsettled()) == [message]
    ChannelLocation.objects.update(kitchen=kitchen())
    manager.post(url("channelmessage_replay", message.pk))
    assert Order.objects.get().id == "deliverect:d-1"
    last = ChannelMessage.objects.latest("pk")
    assert (last.outcome, last.replay_of, last.request_id[:7]) == ("taken", message, "replay-")
    message.refresh_from_db()
    assert message.settled_by == "user:anna"


def test_a_message_that_can_no_longer_be_read_leads_back_to_its_order(manager):
    make.link()
    make.send(make.body(location="elsewhere"))
    ChannelMessage.objects.update(payload="")  # forgotten with its customer
    message = ChannelMessage.objects.get()
    back = manager.post(url("channelmessage_replay", message.pk), {"from": "order"})
    assert back["Location"] == reverse("admin:orders_order_change", args=["deliverect:d-1"])
    assert ChannelMessage.objects.latest("pk").outcome == "invalid"


def test_a_message_that_is_given_up_is_told_to_the_channel_as_failed(manager):
    make.link(status_url="https://channel.example/status")
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    action = {"action": "give_up_messages", "_selected_action": [message.pk]}
    manager.post(url("channelmessage_changelist"), action)
    manager.post(url("channelmessage_give_up", message.pk))
    delivery = Delivery.objects.get()
    assert (delivery.event_type, delivery.order_id) == ("channel.failed", "deliverect:d-1")
    message.refresh_from_db()
    assert message.settled_by == "user:anna"


def test_a_link_in_the_browser_changes_nothing(manager):
    make.link()
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    for name in ("replay", "give_up"):
        assert manager.get(url(f"channelmessage_{name}", message.pk)).status_code == 405
    message.refresh_from_db()
    assert message.settled_at is None
    assert ChannelMessage.objects.count() == 1


def test_who_may_read_messages_but_no_customers_data_sees_no_payload():
    make.link()
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    support = somebody("view_channelmessage", "work_everywhere")
    page = support.get(url("channelmessage_change", message.pk))
    assert page.status_code == 200
    assert "unknown_location" in page.content.decode() or "Unknown location" in page.content.decode()
    assert "John Doe" not in page.content.decode()
    assert "Take in now" not in page.content.decode()
    assert support.post(url("channelmessage_replay", message.pk)).status_code == 403


def test_a_manager_of_one_kitchen_sees_what_came_for_it():
    link = make.link()
    make.LocationFactory(link=link, external_id="other-place", kitchen=kitchen("other"))
    make.send(make.body("d-1"))
    make.send(make.body("d-2", location="other-place"))
    make.send(make.body("d-3", location="unknown-place"))
    client = somebody("view_channelmessage", "view_channellocation", "view_kitchenpace")
    KitchenMember.objects.create(user=User.objects.get(username="ben"), kitchen_id="other")
    shown = client.get(url("channelmessage_changelist")).content.decode()
    assert "deliverect:d-2" in shown
    assert "deliverect:d-1" not in shown
    places = client.get(url("channellocation_changelist")).content.decode()
    assert "other-place" in places
    assert make.LOCATION not in places
    paces = client.get(reverse("admin:orders_kitchenpace_changelist")).content.decode()
    assert "Other" in paces
    assert "Main" not in paces
    assert "no kitchen" not in client.get(reverse("admin:index")).content.decode()


def test_a_manager_of_one_kitchen_sends_nothing_again_of_anothers_orders():
    link = make.link(status_url="https://channel.example/status")
    make.send(make.body("d-1"))
    sent = Delivery.objects.create(
        sink=link, order_id="deliverect:d-1", sequence=1, event_type="order.created", at=clock.now(),
        state=Delivery.State.GIVEN_UP,
    )  # fmt: skip
    client = somebody("change_webhookendpoint", "view_delivery")
    member = KitchenMember.objects.create(
        user=User.objects.get(username="ben"), kitchen_id=kitchen("other").pk
    )
    again = url("channelmessage_replay_delivery", sent.pk)
    assert client.post(again).url == reverse("admin:orders_order_changelist")
    sent.refresh_from_db()
    assert sent.state == Delivery.State.GIVEN_UP
    KitchenMember.objects.filter(pk=member.pk).update(kitchen_id="main")
    client.post(again)
    sent.refresh_from_db()
    assert sent.state == Delivery.State.WAITING


def test_lists_cost_the_same_however_long_they_are(manager):
    make.link()

    def cost(name: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert manager.get(url(name)).status_code == 200
        return len(queries)

    names = ("channellink_changelist", "channellocation_changelist", "channelmessage_changelist")
    make.send(make.body(location="elsewhere"))
    few = [cost(name) for name in names]
    for number in range(12):
        make.link(f"link-{number}", external_id=f"x-{number}")
        make.send(make.body(f"d-{number}", location=f"place-{number}"))
    assert [cost(name) for name in names] == few


def test_an_orders_page_tells_everything_that_came_in_and_went_out(manager):
    link = make.link(status_url="https://channel.example/status")
    make.send(make.body(), **{"X-Request-Id": "first-request"})
    make.send(make.body(), **{"X-Request-Id": "second-request"})
    make.send(make.cancel(), **{"X-Request-Id": "third-request"})
    delivery = Delivery.objects.create(
        sink=link, order_id="deliverect:d-1", sequence=1, event_type="order.created", at=clock.now(),
        state=Delivery.State.GIVEN_UP, attempts=3, last_status=500, last_ms=12, finished_at=clock.now(),
        log=[{"at": "", "status": 500, "ms": 12, "error": "", "answer": ""}],
    )  # fmt: skip
    page = manager.get(reverse("admin:orders_order_change", args=["deliverect:d-1"])).content.decode()
    for word in (
        "first-request", "second-request", "third-request", "Taken", "Repeated", "Cancelled",
        "order.created #1", "Given up", "tries: 3, 12 ms", "500", "Send again",
    ):  # fmt: skip
        assert word in page, word
    assert page.index("first-request") < page.index("second-request") < page.index("third-request")

    replay = reverse("admin:integrations_channelmessage_replay_delivery", args=[delivery.pk])
    assert manager.get(replay).status_code == 405
    assert manager.post(replay).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (Delivery.State.WAITING, 0)


def test_an_order_that_was_refused_first_shows_that_too(manager):
    make.link()
    make.send(make.body(location="elsewhere"), **{"X-Request-Id": "refused-request"})
    ChannelLocation.objects.update(kitchen=kitchen())
    make.send(make.body(location="elsewhere"), **{"X-Request-Id": "taken-request"})
    page = manager.get(reverse("admin:orders_order_change", args=["deliverect:d-1"])).content.decode()
    assert "refused-request" in page
    assert "Unknown location" in page


def test_an_orders_page_costs_the_same_however_much_was_said(manager):
    make.link()
    make.send(make.body())
    page = reverse("admin:orders_order_change", args=["deliverect:d-1"])

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(page).status_code == 200
        return len(queries)

    few = cost()
    for status in range(80, 90):
        make.send(make.body(status=status))
    assert cost() == few


def test_an_order_that_nobody_outside_speaks_of_has_no_such_card(manager):
    plain = OrderFactory(actor="system")
    page = manager.get(reverse("admin:orders_order_change", args=[plain.id])).content.decode()
    assert "huuva-traffic" not in page
