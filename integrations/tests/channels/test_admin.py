"""What a manager can do about channels."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.channels.intake import trouble
from integrations.channels.purging import purge_channels
from integrations.channels.secrets import open_secret
from integrations.models import ChannelLink, ChannelLocation, ChannelMessage, ChannelOrder, Delivery
from integrations.tests.channels import factories as make
from integrations.tests.channels.test_generic import MAPPING
from orders import clock
from orders.models import Kitchen, KitchenMember, KitchenPace, Order
from orders.pace import pace_of
from orders.services import create_order, move_order
from orders.signals import customer_data_removed
from orders.statuses import CANCELLED, READY
from orders.tests.factories import kitchen, new_order

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"admin:integrations_{name}", args=args)


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


def somebody(*permissions: str) -> Client:
    user = User.objects.create_user("ben", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def form(**values):
    return {
        "channel_kind": "deliverect",
        "is_active": "on",
        "name": "Wolt",
        "slug": "deliverect",
        "external_id": "link-9",
        "account": "",
        "brand_id": "",
        "secret_text": "",
        "status_url": "",
        "busy_url": "",
        "mapping": "null",
        "locations-TOTAL_FORMS": "0",
        "locations-INITIAL_FORMS": "0",
        **values,
    }


# --- Links ------------------------------------------------------------------------------------------------------------


def test_a_secret_that_the_channel_gave_is_kept_encrypted_and_never_shown(manager):
    page = manager.post(url("channellink_add"), form(secret_text="given by them"))
    assert page.status_code == 302, page.content.decode()
    link = ChannelLink.objects.get()
    assert b"given by them" not in bytes(link.secret)
    assert open_secret(link.secret) == "given by them"
    assert (link.kind, link.channel) == ("channel", "Wolt")
    for shown in (url("channellink_change", link.pk), url("channellink_changelist")):
        page = manager.get(shown)
        assert page.status_code == 200
        assert "given by them" not in page.content.decode()


def test_a_secret_that_we_made_is_shown_once_and_works(manager):
    kitchen()
    page = manager.post(url("channellink_add"), form())
    link = ChannelLink.objects.get()
    found = re.search(r'id="plain-secret"[^>]*value="([^"]+)"', page.content.decode())
    assert found
    assert make.HEADER in page.content.decode()
    ChannelLocation.objects.create(link=link, external_id="place", kitchen=kitchen())
    data = make.body(channelLink="link-9", location="place")
    assert make.send(data, secret=found[1]).status_code == 200
    assert found[1] not in manager.get(url("channellink_change", link.pk)).content.decode()


def test_a_new_secret_takes_the_place_of_the_old_one_and_an_empty_field_leaves_it(manager):
    link = make.link()
    change = url("channellink_change", link.pk)
    assert manager.post(change, form(external_id=make.LINK_ID)).status_code == 302
    assert make.send(make.body()).status_code == 200
    assert manager.post(change, form(external_id=make.LINK_ID, secret_text="another one")).status_code == 302
    assert make.send(make.body("d-2")).status_code == 401
    assert make.send(make.body("d-2"), secret="another one").status_code == 200


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"slug": "Not a slug"}, "Small letters, digits and hyphens only"),
        ({"name": ""}, "This field is required"),
        ({"secret_text": "short"}, "at least 8 characters"),
        ({"status_url": "ftp://channel.example"}, "must start with"),
        ({"busy_url": "https://127.0.0.1/busy"}, "private networks"),
        ({"mapping": json.dumps(MAPPING)}, "need no mapping"),
        ({"channel_kind": "generic"}, "Write an object"),
        (
            {"channel_kind": "generic", "mapping": json.dumps({**MAPPING, "idd": "x"})},
            "idd: There is no such name",
        ),
        ({"channel_kind": "generic", "mapping": json.dumps({**MAPPING, "id": 7})}, "id: "),
        ({"channel_kind": "generic", "mapping": "{"}, "valid JSON"),
    ],
)
def test_what_is_wrong_with_a_link_is_told_by_name_and_nothing_is_stored(manager, wrong, told):
    page = manager.post(url("channellink_add"), form(**wrong))
    assert page.status_code == 200
    assert told in page.content.decode()
    assert not ChannelLink.objects.exists()


def test_a_mapped_link_is_made_in_the_admin_alone(manager):
    mapping = json.dumps({**MAPPING, "location": "=here"})
    given = form(
        channel_kind="generic", slug="shop", external_id="", mapping=mapping, secret_text="secret-of-shop"
    )
    assert manager.post(url("channellink_add"), given).status_code == 302
    ChannelLocation.objects.create(link=ChannelLink.objects.get(), external_id="here", kitchen=kitchen())
    data = {"order": {"id": "A"}, "lines": [{"sku": "S", "title": "Soup", "qty": 1}]}
    answer = make.send(
        data, url="/api/channels/generic/shop/orders", header="x-huuva-signature", secret="secret-of-shop"
    )
    assert answer.status_code == 200, answer.content


def test_a_link_that_was_given_up_is_tried_again_when_it_is_saved(manager):
    link = make.link(status_url="https://channel.example/status", disabled_at=clock.now(), failures=9)
    assert "is told nothing" in manager.get(url("channellink_changelist")).content.decode()
    given = form(external_id=make.LINK_ID, status_url=link.status_url)
    assert manager.post(url("channellink_change", link.pk), given).status_code == 302
    link.refresh_from_db()
    assert (link.disabled_at, link.failures) == (None, 0)
    del given["is_active"]
    manager.post(url("channellink_change", link.pk), given)
    link.refresh_from_db()
    assert (link.is_active, link.disabled_reason) == (False, "by_hand")


# --- Places and messages ----------------------------------------------------------------------------------------------


def test_an_unknown_place_stands_on_the_first_page_until_its_orders_are_taken_in(manager):
    link = make.link()
    make.send(make.body("d-1", location="elsewhere"))
    make.send(make.body("d-2", location="elsewhere"))
    make.send(make.cancel("d-2", location="elsewhere"))
    front = manager.get(reverse("admin:index")).content.decode()
    assert "1 place of a channel has no kitchen" in front
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


def test_a_message_that_was_refused_can_be_taken_in_once_the_cause_is_mended(manager):
    make.link()
    make.send(make.body(location="elsewhere"))
    message = ChannelMessage.objects.get()
    page = manager.get(url("channelmessage_change", message.pk)).content.decode()
    assert "Take in now" in page
    assert "John Doe" in page

    again = manager.post(url("channelmessage_replay", message.pk), follow=True).content.decode()
    assert "No kitchen is set up for the location elsewhere" in again
    # It goes on waiting as one message, however often it is tried.
    assert list(trouble()) == [message]
    ChannelLocation.objects.update(kitchen=kitchen())
    manager.post(url("channelmessage_replay", message.pk))
    assert Order.objects.get().id == "deliverect:d-1"
    last = ChannelMessage.objects.latest("pk")
    assert (last.outcome, last.replay_of, last.request_id[:7]) == ("taken", message, "replay-")
    message.refresh_from_db()
    assert message.settled_by == "user:anna"


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
    ChannelLocation.objects.create(link=link, external_id="other-place", kitchen=kitchen("other"))
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


# --- The order's page -------------------------------------------------------------------------------------------------


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
    plain = create_order(new_order(), kitchen=kitchen(), actor="system")
    page = manager.get(reverse("admin:orders_order_change", args=[plain.id])).content.decode()
    assert "huuva-traffic" not in page


# --- Busy mode --------------------------------------------------------------------------------------------------------


def test_a_manager_pauses_a_kitchen_and_its_channels_are_told(manager):
    make.link(busy_url="https://channel.example/busy")
    Kitchen.objects.create(slug="never", name="Never paused")
    assert "Never paused" in manager.get(reverse("admin:orders_kitchenpace_changelist")).content.decode()
    change = reverse("admin:orders_kitchenpace_change", args=["main"])
    given = {"mode": "busy", "busy_minutes": "25", "preparation_minutes": "20"}
    assert manager.post(change, given).status_code == 302
    pace = pace_of("main")
    assert (pace.mode, pace.busy_minutes, pace.preparation_minutes) == ("busy", 25, 20)
    assert (pace.version, pace.changed_by) == (1, "user:anna")
    assert Delivery.objects.get().event_type == "kitchen.pace"
    assert "busy: +25 min" in manager.get(reverse("admin:orders_kitchenpace_changelist")).content.decode()


@pytest.mark.parametrize(
    "wrong", [{"busy_minutes": "0"}, {"mode": "asleep"}, {"preparation_minutes": "1000"}]
)
def test_a_wrong_pace_is_refused(manager, wrong):
    manager.get(reverse("admin:orders_kitchenpace_changelist"))
    kitchen()
    manager.get(reverse("admin:orders_kitchenpace_changelist"))
    change = reverse("admin:orders_kitchenpace_change", args=["main"])
    given = {"mode": "busy", "busy_minutes": "25", "preparation_minutes": "", **wrong}
    assert manager.post(change, given).status_code == 200
    assert KitchenPace.objects.get().version == 0


# --- Forgetting and counting ------------------------------------------------------------------------------------------


def test_messages_are_forgotten_after_the_shortest_time_that_a_kitchen_keeps(settings):
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
    assert 'huuva_channel_messages_last_hour{channel="deliverect",outcome="taken"} 1' in text
    assert 'huuva_channel_messages_last_hour{channel="deliverect",outcome="repeated"}' in text
    assert "huuva_channel_locations_unknown 0" in text
    make.send(make.body("d-2", location="elsewhere"))
    text = client.get("/metrics").content.decode()
    assert "huuva_channel_locations_unknown 1" in text
    assert "huuva_channel_messages_waiting 1" in text
