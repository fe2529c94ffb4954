"""Deliverect's words, as they become ours."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.adapters.base import LinkFacts, StatusUpdate
from integrations.adapters.deliverect import Deliverect
from integrations.models.channels import ChannelMessage
from integrations.tests.channels import factories as make
from orders import clock
from orders.models import Order, OrderItem, StatusChange
from orders.statuses import CANCELLED, PICKED_UP, PREPARING, READY, RECEIVED, Kind
from orders.tests.factories import kitchen

pytestmark = pytest.mark.django_db


def taken(**fields) -> Order:
    make.link()
    answer = make.send(make.body(**fields))
    assert (answer.status_code, answer.json()) == (200, {"id": "deliverect:d-1"})
    return Order.objects.get(pk="deliverect:d-1")


def test_an_order_arrives_with_everything_that_the_kitchen_needs():
    order = taken()

    assert (order.kitchen_id, order.status, order.channel) == ("main", RECEIVED, "Wolt")
    assert (order.account, order.brand_id) == ("60bfc6dc4887c9851d5a0246", "60bfc6dc4887c9851d5a0245")
    assert (order.channel_order_id, order.channel_display_id) == ("TEST1626898082", "82")
    assert (order.customer_name, order.customer_phone) == ("John Doe", "+123456789")
    assert (order.note, order.delivery_address, order.currency) == ("Ring twice", None, "EUR")
    assert order.pickup_time == datetime(2026, 7, 22, 20, 28, 2, tzinfo=UTC)
    burger, sushi = order.items.order_by("position")
    assert (burger.plu, burger.name, burger.quantity, burger.price) == (
        "CAT1-0001", "Hawaii Burger", 1, 1290,
    )  # fmt: skip
    assert burger.note == "No onion"
    assert burger.modifiers == [{"name": "Extra cheese", "quantity": 1, "plu": "MOD-1"}]
    assert (sushi.plu, sushi.modifiers) == ("CAT2-0001", [])
    assert {row.actor for row in StatusChange.objects.all()} == {"channel:deliverect"}


@pytest.mark.parametrize(
    "time",
    [
        "2026-07-22T20:28:02Z",
        "2026-07-22T20:28:02.000000Z",
        "2026-07-22T20:28:02",
        "2026-07-22T20:28:02.000000",
    ],
)
def test_times_come_with_seconds_or_microseconds_and_are_utc(time):
    assert taken(pickupTime=time).pickup_time == datetime(2026, 7, 22, 20, 28, 2, tzinfo=UTC)


def test_without_a_pickup_time_the_delivery_time_or_now_counts():
    assert taken(pickupTime=None).pickup_time == datetime(2026, 7, 22, 20, 28, 2, tzinfo=UTC)
    make.send(make.body("d-2", pickupTime=None, deliveryTime=None))
    late = clock.now() - Order.objects.get(pk="deliverect:d-2").pickup_time
    assert timedelta() <= late < timedelta(minutes=1)


def test_sub_items_become_modifiers_all_the_way_down():
    part = {"plu": "P", "name": "Part", "quantity": 2, "remark": "crisp"}
    inner = {**part, "name": "Inner", "subItems": [{**part, "name": "Innermost", "remark": None}]}
    taken(items=[{"plu": "A", "name": "Menu", "quantity": 1, "subItems": [{**part, "subItems": [inner]}]}])

    item = OrderItem.objects.get()
    assert item.modifiers == [
        {
            "name": "Part", "quantity": 2, "plu": "P",
            "modifiers": [
                {
                    "name": "Inner", "quantity": 2, "plu": "P",
                    "modifiers": [{"name": "Innermost", "quantity": 2, "plu": "P"}],
                }
            ],
        }
    ]  # fmt: skip
    assert item.note == "Part: crisp\nPart: Inner: crisp"


def test_sub_items_below_the_eighth_level_are_put_on_the_eighth():
    part: dict = {"plu": "P", "name": "10", "quantity": 1}
    for level in range(9, 0, -1):
        part = {"plu": "P", "name": str(level), "quantity": 1, "subItems": [part]}
    taken(items=[{"plu": "A", "name": "Menu", "quantity": 1, "subItems": [part]}])

    found = OrderItem.objects.get().modifiers
    for level in range(1, 8):
        assert [one["name"] for one in found] == [str(level)]
        found = found[0]["modifiers"]
    assert [one["name"] for one in found] == ["8", "9", "10"]


def test_lines_that_share_a_plu_are_told_apart():
    line = {"name": "Burger", "quantity": 1}
    taken(items=[{**line, "plu": plu} for plu in ("A", "A", "A~2", "B", "A")])

    plus = list(OrderItem.objects.order_by("position").values_list("plu", flat=True))
    assert plus == ["A", "A~3", "A~2", "B", "A~4"]


@pytest.mark.parametrize(
    "currency, digits, price, stored",
    [
        ("EUR", 2, 1290, 1290),
        ("EUR", 3, 12905, 1291),
        ("EUR", 0, 12, 1200),
        ("EUR", None, 1290, 1290),
        ("JPY", 2, 129000, 1290),
        ("KWD", 2, 1290, 12900),
        ("EUR", 2, "1290", 1290),
        ("EUR", 2, None, None),
        ("EUR", 2, -150, -150),
    ],
)
def test_decimal_digits_make_minor_units_of_the_kitchens_currency(currency, digits, price, stored):
    kitchen(currency=currency)
    taken(decimalDigits=digits, items=[{"plu": "A", "name": "A", "quantity": 1, "price": price}])
    assert OrderItem.objects.get().price == stored


@pytest.mark.parametrize("number", make.NOT_JSON_NUMBERS)
def test_a_text_that_json_would_not_read_as_a_number_is_refused_by_name(number):
    make.link()
    item = {"plu": "A", "name": "A", "quantity": number, "price": number, "subItems": [{"quantity": number}]}
    answer = make.send(make.body(items=[item], decimalDigits=number))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert errors.keys() == {
        "/items/0/quantity", "/items/0/price", "/items/0/subItems/0/quantity", "/decimalDigits",
    }  # fmt: skip
    assert all("in plain digits" in detail for detail in errors.values())
    assert not Order.objects.exists()


def test_plain_digits_in_a_text_are_numbers():
    parts = [{"name": "B", "quantity": "03"}]
    item = {"plu": "A", "name": "A", "quantity": "2", "price": "1290.00", "subItems": parts}
    stored = taken(items=[item], decimalDigits="2").items.get()
    assert (stored.quantity, stored.price, stored.modifiers[0]["quantity"]) == (2, 1290, 3)


@pytest.mark.parametrize("plu", [".", "..", " .. ", ".\n"])
def test_a_plu_that_can_not_be_in_an_address_is_refused_by_name(plu):
    make.link()
    line = {"plu": "A", "name": "A", "quantity": 1}
    answer = make.send(make.body(items=[line, {**line, "plu": plu}]))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/items/1/plu", "reserved")
    assert "address" in error["detail"]
    assert not Order.objects.exists()
    # What becomes a modifier has no address.
    assert make.send(make.body(items=[{**line, "subItems": [{**line, "plu": plu}]}])).status_code == 200


def test_a_status_with_a_zero_fraction_is_the_whole_number():
    assert taken(status=50.0).status == PREPARING
    make.send(make.body(status=50))
    make.send(make.body(status=100.0))
    assert Order.objects.get().status == CANCELLED
    rows = ChannelMessage.objects.order_by("id").values_list("outcome", "channel_status")
    assert list(rows) == [("taken", "50"), ("repeated", "50"), ("cancelled", "100")]


@pytest.mark.parametrize(
    "status, ours",
    [
        *((number, RECEIVED) for number in (1, 2, 3, 4, 5, 6, 7, 10, 20, 25, 40)),
        (50, PREPARING), (60, READY), (70, READY), (90, PICKED_UP), (95, PICKED_UP),
        *((number, RECEIVED) for number in (80, 85, 89, 115, 999, -1, None, "new", "10", 10**30, [], {})),
    ],
)  # fmt: skip
def test_each_status_is_taken_and_an_unknown_one_is_an_order_to_cook(status, ours):
    order = taken(status=status)
    assert order.status == ours
    assert {item.status for item in order.items.all()} == {ours}


def test_fields_that_nobody_knows_are_kept_as_they_came():
    taken(newField={"deep": [1, 2]}, courier={"status": 83}, tax=1.5)
    payload = ChannelMessage.objects.get().payload
    assert '"newField": {"deep": [1, 2]}' in payload
    assert '"courier": {"status": 83}' in payload


LONGEST = "n" * 9_993 + " PEANUT"


def test_names_that_are_too_long_are_cut_and_said_and_what_is_missing_is_made_up_for():
    order = taken(
        customer=None,
        brandId=None,
        account=None,
        channelOrderDisplayId="",
        channelOrderId=1234,
        items=[
            {"plu": "P" * 300, "name": "", "quantity": "2", "subItems": [{"name": "M" * 501, "quantity": 1}]}
        ],
        deliveryAddress={
            "street": "Kaivokatu",
            "streetNumber": "1",
            "postalCode": "00100",
            "city": "Helsinki",
        },
    )
    assert (order.customer_name, order.channel_order_id) == ("1234", "1234")
    assert (order.brand_id, order.account) == (make.LINK_ID, "deliverect")
    assert order.delivery_address == {"city": "Helsinki", "street": "Kaivokatu 1", "postalCode": "00100"}
    item = order.items.get()
    assert (len(item.plu), len(item.name), item.quantity) == (120, 300, 2)
    assert len(item.modifiers[0]["name"]) == 500
    detail = ChannelMessage.objects.get().detail
    assert detail.endswith(": /items/0/plu, /items/0/subItems/0/name.")


def test_notes_are_kept_whole_up_to_10000_characters():
    order = taken(note=LONGEST, items=[{"plu": "A", "name": "A", "quantity": 1, "remark": LONGEST + " \n"}])
    assert (order.note, order.items.get().note) == (LONGEST, LONGEST)
    assert ChannelMessage.objects.get().detail == ""


LINE = {"plu": "A", "name": "A", "quantity": 1}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"note": LONGEST + "S"}, "/note"),
        ({"customer": {"name": "Ada", "note": LONGEST + "S"}}, "/customer/note"),
        ({"note": LONGEST, "customer": {"name": "Ada", "note": "NO NUTS"}}, "/note"),
        ({"items": [LINE, {**LINE, "remark": LONGEST + "S"}]}, "/items/1/remark"),
        ({"items": [{**LINE, "itemRemark": LONGEST + "S"}]}, "/items/0/itemRemark"),
        ({"items": [{**LINE, "remark": LONGEST, "subItems": [{**LINE, "remark": "x"}]}]}, "/items/0/remark"),
    ],
)
def test_a_longer_note_is_refused_by_name_and_kept_never_cut(fields, pointer):
    make.link()
    answer = make.send(make.body(**fields))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "too_long")
    assert "10000" in error["detail"]
    assert not Order.objects.exists()
    message = ChannelMessage.objects.unsettled().get()
    assert message.outcome == "invalid"
    assert pointer in message.detail and "PEANUT" in message.payload


@pytest.mark.parametrize(
    ("note", "customer", "shown"),
    [
        ("Ring twice", "NO NUTS", "Ring twice\nCustomer: NO NUTS"),
        ("", "NO NUTS", "NO NUTS"),
        ("NO NUTS", "NO NUTS", "NO NUTS"),
        (None, None, ""),
    ],
)
def test_the_customers_note_is_shown_with_the_orders(note, customer, shown):
    assert taken(note=note, customer={"name": "Ada", "note": customer}).note == shown


def test_remarks_of_items_and_of_what_is_below_them_are_shown_by_the_item():
    fries = {"plu": "F", "name": "Fries", "quantity": 1, "itemRemark": "no salt"}
    taken(items=[{**LINE, "remark": "NO NUTS", "itemRemark": "well done", "subItems": [fries]}])
    assert OrderItem.objects.get().note == "NO NUTS\nwell done\nFries: no salt"


@pytest.mark.parametrize("without", [{"quantity": 0}, {"quantity": 1, "removed": True}, {"removed": "true"}])
def test_a_sub_item_that_is_left_out_has_the_quantity_0(without):
    kept = {"name": "Onion", "quantity": 1, "removed": False}
    taken(
        items=[{**LINE, "subItems": [{"name": "Tomato", **without}, kept, {"name": "Egg", "removed": None}]}]
    )
    assert OrderItem.objects.get().modifiers == [
        {"name": "Tomato", "quantity": 0}, {"name": "Onion", "quantity": 1}, {"name": "Egg", "quantity": 1},
    ]  # fmt: skip


def test_cutlery_is_on_the_ticket():
    assert taken(packaging={"includeCutlery": True}).note == "Ring twice\n+ cutlery"


def test_its_past_is_imported_as_our_statuses_those_of_cooking_only():
    def past(status, minute):
        return {
            "timeStamp": f"2026-07-22T20:{minute:02}:00Z",
            "status": status,
            "response": "",
            "source": "x",
        }

    taken(status=50, statusHistory=[past(10, 1), past(83, 2), past(20, 3), past(50, 4), {"status": 50}])

    rows = StatusChange.objects.filter(plu=None).order_by("sequence")
    assert [(row.to_status, row.kind) for row in rows] == [
        (RECEIVED, Kind.IMPORT), (RECEIVED, Kind.IMPORT), (PREPARING, Kind.TRANSITION),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong, pointer",
    [
        ({"items": []}, "/items"),
        ({"items": None}, "/items"),
        ({"items": [{"plu": "A", "name": "A", "quantity": 0}]}, "/items/0/quantity"),
        ({"items": [{"plu": "A", "name": "A", "quantity": 1.5}]}, "/items/0/quantity"),
        (
            {"items": [{"plu": "A", "quantity": 1, "subItems": [{"quantity": -1}]}]},
            "/items/0/subItems/0/quantity",
        ),
        (
            {"items": [{"plu": "A", "quantity": 1, "subItems": [{"removed": "perhaps"}]}]},
            "/items/0/subItems/0/removed",
        ),
        ({"items": [{"plu": "A", "name": "A", "price": "much"}]}, "/items/0/price"),
        ({"pickupTime": "tomorrow"}, "/pickupTime"),
        ({"pickupTime": "1850-01-01T00:00:00Z"}, "/pickupTime"),
        ({"decimalDigits": 99}, "/decimalDigits"),
        ({"decimalDigits": True}, "/decimalDigits"),
        ({"_id": None}, "/_id"),
        ({"_id": ""}, "/_id"),
        ({"customer": "Ada"}, "/customer"),
        ({"location": "x" * 257}, "/location"),
    ],
)
def test_what_would_make_a_wrong_order_is_refused_by_name_and_kept(wrong, pointer):
    make.link()
    answer = make.send(make.body(**wrong))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Order.objects.exists()
    message = ChannelMessage.objects.get()
    assert (message.outcome, message.status_code) == ("invalid", 400)
    assert pointer in message.detail
    assert message.payload
    # Nothing is said to be lost that is kept.
    assert answer.json()["detail"].endswith("No order was made of it; the message is kept.")


@pytest.mark.parametrize(
    ("history", "kept", "places"),
    [
        (
            [
                {"status": 50, "timeStamp": "2026-07-22T20:00:00Z"},
                {"status": 50, "timeStamp": "yesterday"},
                "nonsense",
                {"status": 50, "timeStamp": 7},
            ],
            1,
            ["/statusHistory/1", "/statusHistory/2", "/statusHistory/3"],
        ),
        ("nonsense", 0, ["/statusHistory"]),
        ([None] * 2000, 0, ["/statusHistory/1000,", "/statusHistory/1009 …"]),
        ([{"status": None}, {}], 0, []),
        (None, 0, []),
    ],
)
def test_an_unreadable_past_is_left_out_and_noted_the_order_is_cooked(history, kept, places):
    make.link()
    answer = make.send(make.body(statusHistory=history))

    assert answer.status_code == 200
    assert Order.objects.get().history.filter(kind=Kind.IMPORT, plu=None).count() == kept
    message = ChannelMessage.objects.get()
    assert (message.outcome, message.status_code) == ("taken", 200)
    assert bool(message.detail) is bool(places)
    assert [place for place in places if place not in message.detail] == []
    assert "yesterday" not in message.detail and "nonsense" not in message.detail


def test_channel_ids_that_do_not_fit_a_url_are_replaced_by_their_digest():
    make.link()
    answer = make.send(make.body("a/b c?" * 30))
    order_id = answer.json()["id"]
    assert answer.status_code == 200
    assert Order.objects.get().id == order_id
    assert "/" not in order_id
    assert make.send(make.body("a/b c?" * 30)).json()["id"] == order_id


def test_our_statuses_in_its_numbers():
    at = datetime(2026, 7, 22, 20, 28, 2, 123456, tzinfo=UTC)
    told = {
        status: Deliverect().status_update(
            StatusUpdate("d-1", status, at, "sold out"), LinkFacts("d", "D", "l")
        )
        for status in (RECEIVED, PREPARING, READY, PICKED_UP, CANCELLED, None)
    }
    assert [body["status"] for body in told.values()] == [20, 50, 70, 90, 110, 120]
    assert told[CANCELLED] == {
        "orderId": "d-1",
        "status": 110,
        "reason": "sold out",
        "timeStamp": "2026-07-22T20:28:02.123456Z",
    }
