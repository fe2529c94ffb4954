"""Links to channels in the admin, and the pace that channels are told."""

import json
import re

import pytest
from django.urls import reverse

from integrations.channels.secrets import decrypt_secret
from integrations.models import ChannelLink, Delivery
from integrations.tests.channels import factories as make
from integrations.tests.channels.admin_pages import url
from integrations.tests.channels.test_generic import MAPPING
from orders import clock
from orders.models import KitchenPace
from orders.pace import pace_of
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


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


def test_a_secret_that_the_channel_gave_is_kept_encrypted_and_never_shown(manager):
    page = manager.post(url("channellink_add"), form(secret_text="given by them"))
    assert page.status_code == 302, page.content.decode()
    link = ChannelLink.objects.get()
    assert b"given by them" not in bytes(link.secret)
    assert decrypt_secret(link.secret) == "given by them"
    assert (link.kind, link.channel) == ("channel", "Wolt")
    for shown in (url("channellink_change", link.pk), url("channellink_changelist")):
        page = manager.get(shown)
        assert page.status_code == 200
        assert "given by them" not in page.content.decode()


def test_a_secret_that_we_made_is_shown_once_and_works(manager):
    kitchen()
    page = manager.post(url("channellink_add"), form())
    link = ChannelLink.objects.get()
    found = re.search(r'id="shown-once"[^>]*value="([^"]+)"', page.content.decode())
    assert found
    assert make.HEADER in page.content.decode()
    make.LocationFactory(link=link, external_id="place", kitchen=kitchen())
    data = make.body(channelLink="link-9", location="place")
    assert make.send(data, secret=found[1]).status_code == 200
    assert found[1] not in manager.get(url("channellink_change", link.pk)).content.decode()


def test_a_new_secret_replaces_the_old_one_an_empty_field_keeps_it(manager):
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
            "idd: Unknown name",
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
    make.LocationFactory(link=ChannelLink.objects.get(), external_id="here", kitchen=kitchen())
    data = {"order": {"id": "A"}, "lines": [{"sku": "S", "title": "Soup", "qty": 1}]}
    answer = make.send(
        data, url="/api/channels/generic/shop/orders", header="x-huuva-signature", secret="secret-of-shop"
    )
    assert answer.status_code == 200, answer.content


def test_a_link_that_was_given_up_is_tried_again_when_it_is_saved(manager):
    link = make.link(status_url="https://channel.example/status", disabled_at=clock.now(), failures=9)
    assert "gets no updates" in manager.get(url("channellink_changelist")).content.decode()
    given = form(external_id=make.LINK_ID, status_url=link.status_url)
    assert manager.post(url("channellink_change", link.pk), given).status_code == 302
    link.refresh_from_db()
    assert (link.disabled_at, link.failures) == (None, 0)


def test_what_waits_for_a_link_ends_when_it_is_switched_off(manager):
    link = make.link(status_url="https://channel.example/status")
    waiting = Delivery.objects.create(
        sink_id=link.pk,
        order_id="o-1",
        sequence=1,
        event_type="order.created",
        at=clock.now(),
        created_at=clock.now(),
        next_attempt_at=clock.now(),
    )
    given = form(external_id=make.LINK_ID, status_url=link.status_url)
    del given["is_active"]
    assert manager.post(url("channellink_change", link.pk), given).status_code == 302
    link.refresh_from_db()
    assert (link.is_active, link.disabled_reason) == (False, "by_hand")
    waiting.refresh_from_db()
    assert waiting.state == Delivery.State.GIVEN_UP


def test_a_manager_pauses_a_kitchen_and_its_channels_are_told(manager):
    make.link(busy_url="https://channel.example/busy")
    kitchen("never", name="Never paused")
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
