"""A channel that is connected by a mapping, without a line of code."""

from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from integrations.adapters.base import LinkFacts, StatusUpdate
from integrations.adapters.generic import Generic
from integrations.channels.schema import GENERIC_ORDER
from integrations.models import ChannelMessage
from integrations.tests.channels import factories as make
from orders import clock
from orders.models import Order
from orders.statuses import CANCELLED, READY, RECEIVED

pytestmark = pytest.mark.django_db

URL = "/api/channels/generic/shop/orders"
HEADER = "x-huuva-signature"
MAPPING: dict[str, Any] = {
    "id": "order.id",
    "location": "store.code",
    "status": "order.state",
    "cancelled": ["VOID"],
    "reason": "order.why",
    "displayId": "order.number",
    "pickupTime": "order.ready_by",
    "customerName": "guest.0.name",
    "customerPhone": "guest.0.phone",
    "note": "order.note",
    "currency": "order.currency",
    "items": {
        "list": "lines",
        "plu": "sku",
        "name": "title",
        "quantity": "qty",
        "price": "price",
        "note": "wish",
        "modifiers": {"list": "options", "name": "title", "quantity": "qty"},
    },
    "statuses": {"READY": "CAN_BE_FETCHED", "FAILED": "SORRY"},
}


def shop(**mapping: Any):
    return make.link(
        "shop", channel_kind="generic", name="Web shop", external_id="", mapping=MAPPING | mapping
    )


def body(**order: Any) -> dict[str, Any]:
    return {
        **deepcopy(GENERIC_ORDER),
        "order": {**GENERIC_ORDER["order"], **order},
        "store": {"code": make.LOCATION},
        "guest": [{"name": "Ada", "phone": "040"}],
    }


def send(data: Any, **more: Any):
    return make.send(data, url=URL, header=HEADER, **more)


def test_an_order_arrives_as_the_mapping_says():
    shop()
    sent = body(note="Ring", currency="SEK")
    sent["lines"][0]["options"] = [{"title": "Extra", "qty": 2, "options": [{"title": "Hot"}]}]
    answer = send(sent)
    assert (answer.status_code, answer.json()) == (200, {"id": "shop:A-1001"})
    order = Order.objects.get()
    assert (order.status, order.kitchen_id, order.channel, order.brand_id) == (
        RECEIVED,
        "main",
        "Web shop",
        "shop",
    )
    assert (order.channel_order_id, order.channel_display_id) == ("A-1001", "17")
    assert (order.customer_name, order.customer_phone, order.note) == ("Ada", "040", "Ring")
    assert (order.currency, f"{order.pickup_time:%H:%M:%S}") == ("SEK", "20:28:02")
    item = order.items.get()
    assert (item.plu, item.name, item.quantity, item.price) == ("CAT1-0001", "Hawaii Burger", 2, 1290)
    assert item.modifiers == [{"name": "Extra", "quantity": 2, "modifiers": [{"name": "Hot", "quantity": 1}]}]


def test_notes_are_kept_whole_and_names_that_are_cut_are_said():
    shop()
    note = "n" * 9_993 + " PEANUT"
    sent = body(note=note, number="7" * 65)
    sent["lines"][0] |= {"wish": note, "options": [{"title": "M" * 501}]}
    assert send(sent).status_code == 200
    order = Order.objects.get()
    item = order.items.get()
    assert (order.note, item.note) == (note, note)
    assert (len(order.channel_display_id), len(item.modifiers[0]["name"])) == (64, 500)
    assert ChannelMessage.objects.get().detail.endswith(": /lines/0/options/0/title, /order/number.")


def test_a_note_of_more_than_10000_characters_is_refused_by_name_and_kept():
    shop()
    sent = body(note="n" * 10_001)
    sent["lines"][0]["wish"] = "w" * 10_001
    answer = send(sent)
    assert answer.status_code == 400
    errors = {(error["pointer"], error["code"], error["detail"]) for error in answer.json()["errors"]}
    detail = "Send at most 10000 characters."
    assert errors == {("/order/note", "too_long", detail), ("/lines/0/wish", "too_long", detail)}
    assert not Order.objects.exists()
    assert "/order/note" in ChannelMessage.objects.unsettled().get().detail


@pytest.mark.parametrize(
    "without", [{"qty": 0}, {"qty": "0"}, {"qty": 1, "removed": True}, {"removed": "true"}]
)
def test_an_option_that_is_left_out_has_the_quantity_0(without):
    shop()
    sent = body()
    sent["lines"][0]["options"] = [{"title": "Tomato", **without}, {"title": "Egg", "removed": False}]
    assert send(sent).status_code == 200
    assert Order.objects.get().items.get().modifiers == [
        {"name": "Tomato", "quantity": 0}, {"name": "Egg", "quantity": 1},
    ]  # fmt: skip


def test_the_mapping_says_where_a_channel_says_that_an_option_is_left_out():
    options = {"list": "options", "name": "title", "removed": "is.out"}
    shop(items={**MAPPING["items"], "modifiers": options})
    sent = body()
    sent["lines"][0]["options"] = [{"title": "Tomato", "is": {"out": True}}]
    assert send(sent).status_code == 200
    assert Order.objects.get().items.get().modifiers == [{"name": "Tomato", "quantity": 0}]


@pytest.mark.parametrize("wrong", [{"qty": -1}, {"qty": 1.5}, {"removed": "perhaps"}, {"removed": []}])
def test_an_option_that_may_be_left_out_or_not_is_refused(wrong):
    shop()
    sent = body()
    sent["lines"][0]["options"] = [{"title": "Tomato", **wrong}]
    answer = send(sent)
    assert answer.status_code == 400
    (field,) = wrong
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/lines/0/options/0/{field}"]
    assert not Order.objects.exists()


def test_modifiers_below_the_eighth_level_are_put_on_the_eighth():
    shop()
    part: dict[str, Any] = {"title": "10"}
    for level in range(9, 0, -1):
        part = {"title": str(level), "options": [part]}
    sent = body()
    sent["lines"][0]["options"] = [part]
    assert send(sent).status_code == 200
    found = Order.objects.get().items.get().modifiers
    for _ in range(7):
        found = found[0]["modifiers"]
    assert [one["name"] for one in found] == ["8", "9", "10"]


def test_it_repeats_cancels_and_signs_like_every_channel():
    shop()
    assert send(body(state="VOID", why="No time")).status_code == 200
    first, second = send(body()), send(body())
    assert first.content == second.content
    assert Order.objects.get().status == CANCELLED
    assert send(body(id="A-2"), secret="guess").status_code == 401
    assert (
        make.send(body(id="A-2"), url="/api/channels/generic/other/orders", header=HEADER).status_code == 401
    )
    assert list(ChannelMessage.objects.order_by("id").values_list("outcome", flat=True)) == [
        "waiting", "taken", "repeated",
    ]  # fmt: skip


def test_its_address_opens_links_of_its_own_kind_only():
    make.link()
    assert (
        make.send(make.body(), url="/api/channels/generic/deliverect/orders", header=HEADER).status_code
        == 401
    )


@pytest.mark.parametrize(
    "wrong, pointer",
    [
        ({"order": {}}, "/order/id"),
        ({"order": {"id": "x" * 257}}, "/order/id"),
        ({"store": {"code": "x" * 257}}, "/store/code"),
        ({"lines": []}, "/lines"),
        ({"lines": None}, "/lines"),
        ({"lines": ["burger"]}, "/lines/0"),
        ({"lines": [{"sku": "A", "title": "A", "qty": 0}]}, "/lines/0/qty"),
        ({"lines": [{"sku": "A", "title": "A", "qty": "some"}]}, "/lines/0/qty"),
        ({"lines": [{"sku": {}, "title": "A", "qty": 1}]}, "/lines/0/sku"),
        ({"lines": [{"sku": "A", "title": "A", "qty": 1, "price": "much"}]}, "/lines/0/price"),
        (
            {"lines": [{"sku": "A", "qty": 1, "options": [{"title": [], "qty": 1}]}]},
            "/lines/0/options/0/title",
        ),
        ({"lines": [{"sku": "A", "title": "A", "qty": 1, "options": "hot"}]}, "/lines/0/options"),
        ({"lines": [{"sku": "A", "title": "A", "qty": 1, "options": ["hot"]}]}, "/lines/0/options/0"),
        (
            {"lines": [{"sku": "A", "title": "A", "qty": 1, "options": [{"title": "B"}] * 101}]},
            "/lines/0/options",
        ),
        ({"order": {"id": "A", "ready_by": "soon"}}, "/order/ready_by"),
        ({"order": {"id": "A", "currency": "e"}}, "/order/currency"),
    ],
)
def test_what_is_wrong_is_named_in_the_channels_own_words(wrong, pointer):
    shop()
    answer = send({**body(), **wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert not Order.objects.exists()
    assert ChannelMessage.objects.get().outcome == "invalid"


def test_two_long_ids_that_begin_alike_are_two_orders_or_none():
    shop()
    assert [send(body(id="x" * 255 + end)).status_code for end in ("a", "b")] == [200, 200]
    assert Order.objects.count() == 2
    assert [send(body(id="x" * 256 + end)).status_code for end in ("a", "b")] == [400, 400]
    assert Order.objects.count() == 2


def test_an_id_that_is_no_text_is_named_once():
    shop()
    errors = send(body(id=["A"])).json()["errors"]
    assert [(error["pointer"], error["detail"]) for error in errors] == [("/order/id", "Send a text.")]


@pytest.mark.parametrize("quantity", ["some", 0, 1.5, True, None])
def test_a_wrong_quantity_is_named_once(quantity):
    shop()
    line = {"sku": "A", "title": "A", "qty": quantity, "options": [{"title": "B", "qty": "two"}]}
    errors = send({**body(), "lines": [line]}).json()["errors"]
    assert {(error["pointer"], error["detail"]) for error in errors} == {
        ("/lines/0/qty", "Send a whole number from 1 to 9999, in plain digits."),
        ("/lines/0/options/0/qty", "Send a whole number from 0 to 9999, in plain digits."),
    }
    assert len(errors) == 2


@pytest.mark.parametrize("number", make.NOT_JSON_NUMBERS)
def test_a_text_that_json_would_not_read_as_a_number_is_refused_by_name(number):
    shop()
    line = {"sku": "A", "title": "A", "qty": number, "price": number}
    line["options"] = [{"title": "B", "qty": number}]
    answer = send({**body(), "lines": [line]})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert errors.keys() == {"/lines/0/qty", "/lines/0/price", "/lines/0/options/0/qty"}
    assert all("in plain digits" in detail for detail in errors.values())
    assert not Order.objects.exists()


def test_plain_digits_in_a_text_are_numbers():
    shop()
    line = {
        "sku": "A",
        "title": "A",
        "qty": "2",
        "price": "1290.00",
        "options": [{"title": "B", "qty": "03"}],
    }
    assert send({**body(), "lines": [line]}).status_code == 200
    item = Order.objects.get().items.get()
    assert (item.quantity, item.price, item.modifiers[0]["quantity"]) == (2, 1290, 3)


@pytest.mark.parametrize("plu", [".", "..", " .. "])
def test_a_plu_that_can_not_be_in_an_address_is_refused_by_name(plu):
    shop()
    line = {"sku": "A", "title": "A", "qty": 1}
    answer = send({**body(), "lines": [line, {**line, "sku": plu}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/lines/1/sku", "reserved")
    assert "address" in error["detail"]
    assert not Order.objects.exists()


def test_a_constant_stands_for_a_field_that_the_channel_does_not_send():
    shop(location=f"={make.LOCATION}")
    sent = body()
    del sent["store"]
    assert send(sent).status_code == 200


def test_our_statuses_in_its_words():
    told = [
        Generic().status_update(
            StatusUpdate("A-1001", status, clock.now()), LinkFacts("shop", "Shop", "", mapping=MAPPING)
        )["status"]
        for status in (RECEIVED, READY, None)
    ]
    assert told == ["RECEIVED", "CAN_BE_FETCHED", "SORRY"]


@pytest.mark.parametrize(
    "change, told",
    [
        ({"id": None}, "id: "),
        ({"idd": "x"}, "idd: Unknown name"),
        ({"items": {"list": "lines"}}, "items.plu: Missing"),
        ({"items": "lines"}, "items: Write an object"),
        ({"note": "a..b"}, "note: Write a path"),
        ({"decimalDigits": 9}, "decimalDigits: "),
        ({"statuses": {"COOKED": "x"}}, "statuses.COOKED: Unknown status"),
        ({"status": None}, "status: Missing; `cancelled` needs it"),
    ],
)
def test_a_wrong_mapping_is_told_by_name(change, told):
    faults = Generic().check_mapping({**MAPPING, **change})
    assert any(fault.startswith(told) for fault in faults), faults
    assert Generic().check_mapping(MAPPING) == []
    assert Generic().check_mapping(None)


def test_the_api_tells_how_to_sign(client: Client):
    document = client.get("/api/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["deliverectSignature"]["name"] == make.HEADER
    assert schemes["genericSignature"]["name"] == HEADER
    post = document["paths"]["/api/channels/deliverect/orders"]["post"]
    assert post["security"] == [{"deliverectSignature": []}]
    assert {"200", "400", "401", "409", "413", "422", "503"} <= post["responses"].keys()
    assert "429" not in post["responses"]
    assert post["requestBody"]["required"] is True
