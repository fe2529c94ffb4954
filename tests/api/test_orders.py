"""New orders: what channels send is accepted as it is and comes out complete."""

import re
from typing import Any

import pytest

from orders.statuses import PICKED_UP, PREPARING, READY, RECEIVED
from tests.api.client import Client, check_problem, item_path, new_items, new_order, order_path, unique

# A real channel middleware's payload; only the id differs from run to run.
EXAMPLE: dict[str, Any] = {
    "_id": "60f87ea2a52dad8a3fa4860",
    "created": "2021-07-22T20:08:02Z",
    "account": "60bfc6dc4887c9851d5a0246",
    "brandId": "60bfc6dc4887c9851d5a0245",
    "channelOrderId": "TEST1626898082",
    "customer": {"name": "John Doe", "phoneNumber": "+123456789"},
    "deliveryAddress": {"city": "Helsinki", "street": "Huuvatie 1", "postalCode": "00100"},
    "pickupTime": "2021-07-22T20:28:02Z",
    "items": [
        {"name": "Hawaii Burger", "plu": "CAT1-0001", "quantity": 1},
        {"name": "Sushi Set Large", "plu": "CAT2-0001", "quantity": 1},
    ],
    "status": RECEIVED,
    "statusHistory": [
        {"status": PICKED_UP, "timestamp": "2021-07-22T20:08:02Z"},
        {"status": RECEIVED, "timestamp": "2021-07-22T20:10:00Z"},
    ],
}
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
MEMBERS = {
    "id", "createdAt", "updatedAt", "kitchen", "account", "brandId", "channelOrderId", "customer", "deliveryAddress",
    "pickupTime", "dueAt", "items", "status", "statusHistory", "version",
}  # fmt: skip


def test_the_example_of_a_real_channel_is_accepted_as_it_is(client: Client) -> None:
    body = {**EXAMPLE, "_id": unique("60f87ea2")}
    answer = client.create(body)
    assert answer.status == 201, answer.body
    order = answer.json()
    assert order["status"] == "RECEIVED"
    assert [(entry["status"], entry["timestamp"], entry["kind"]) for entry in order["statusHistory"]] == [
        ("PICKED_UP", "2021-07-22T20:08:02Z", "import"),
        ("RECEIVED", "2021-07-22T20:10:00Z", "import"),
    ]
    assert [item["plu"] for item in order["items"]] == ["CAT1-0001", "CAT2-0001"]
    assert {item["status"] for item in order["items"]} == {"ORDERED"}
    assert order["createdAt"] == "2021-07-22T20:08:02Z"
    assert order["pickupTime"] == "2021-07-22T20:28:02Z"
    assert (order["customer"], order["deliveryAddress"]) == (EXAMPLE["customer"], EXAMPLE["deliveryAddress"])
    assert (order["id"], order["version"], order["kitchen"]) == (body["_id"], 1, "main")
    assert client.order(body["_id"]) == order


def test_an_order_has_all_its_members_and_times_in_utc(client: Client) -> None:
    order = client.created(pickupTime="2026-07-22T23:28:02.5+03:00")
    assert order.keys() >= MEMBERS
    assert order["pickupTime"] == "2026-07-22T20:28:02.500000Z"
    times = [order[name] for name in ("createdAt", "updatedAt", "pickupTime", "dueAt")]
    times += [entry["timestamp"] for entry in order["statusHistory"]]
    assert all(UTC.fullmatch(time) for time in times), times
    for item in order["items"]:
        assert item.keys() >= {"plu", "name", "quantity", "status", "statusHistory", "position"}
        assert [(entry["status"], entry["from"]) for entry in item["statusHistory"]] == [("ORDERED", None)]


def test_one_creation_is_one_change(client: Client) -> None:
    order = client.created(
        statusHistory=EXAMPLE["statusHistory"], status="PREPARING", items=new_items("A", "B", "C")
    )
    history = order["statusHistory"]
    assert [(row["from"], row["status"], row["kind"]) for row in history] == [
        (None, "PICKED_UP", "import"),
        ("PICKED_UP", "RECEIVED", "import"),
        ("RECEIVED", "PREPARING", "transition"),
    ]
    rows = history + [row for item in order["items"] for row in item["statusHistory"]]
    assert len({row["change"] for row in rows}) == 1
    assert sorted(row["sequence"] for row in rows) == list(
        range(rows[0]["sequence"], rows[0]["sequence"] + 6)
    )
    assert all(row["actor"].startswith("key:") for row in rows)
    assert (order["version"], order["status"]) == (1, "PREPARING")


@pytest.mark.parametrize("slash", ["", "/"])
def test_each_call_works_with_and_without_a_trailing_slash(client: Client, slash: str) -> None:
    body = new_order(items=new_items("A", "B"))
    assert client.call("POST", f"/orders{slash}", body).status == 201
    path = order_path(body["id"])
    assert client.get(f"/orders{slash}").status == 200
    assert client.get(f"/orders{slash}?account={body['account']}").json()["results"][0]["id"] == body["id"]
    assert client.get(f"{path}{slash}").json()["id"] == body["id"]
    assert client.call("PATCH", f"{path}{slash}", {"status": PREPARING}).json()["status"] == "PREPARING"
    assert client.call("PATCH", f"{path}/items/A{slash}", {"status": READY}).json()["status"] == "READY"
    assert client.call("POST", f"{path}/recall{slash}", {}).json()["status"] == "PREPARING"
    for other in ("/orders/events", "/health", "/docs", "/redoc", "/openapi.json"):
        assert client.get(other + slash).status == 200


def test_health_and_documents_need_no_key(anonymous: Client) -> None:
    for path in ("/health", "/docs", "/redoc", "/openapi.json"):
        assert anonymous.get(path).status == 200


PLUS = [
    "A#1",
    "A/B",
    "A b",
    " A",
    "A ",
    "A/",
    "A//",
    "/",
    "//A",
    "#",
    "?",
    "A?b=c&d",
    "%2F",
    "%",
    "A%20B",
    "🍔",
    "Ä",
    "...",
    ". ",
    "a+b",
    "a;b",
    "\\",
]


@pytest.mark.parametrize("plu", PLUS)
def test_any_plu_works_percent_encoded(client: Client, plu: str) -> None:
    order = client.created(items=new_items(plu, "other"))
    answer = client.move_item(order["id"], plu, "READY")
    assert (answer.status, answer.json()["plu"], answer.json()["status"]) == (200, plu, "READY")
    items = {item["plu"]: item["status"] for item in client.order(order["id"])["items"]}
    assert items == {plu: "READY", "other": "ORDERED"}
    assert (
        client.call("PATCH", item_path(order["id"], plu) + "/", {"status": PICKED_UP}).json()["status"]
        == "PICKED_UP"
    )
    assert client.recall(order["id"], {"plu": plu}).status == 200


def test_a_plu_with_a_slash_at_its_end_is_matched_exactly_first(client: Client) -> None:
    order = client.created(items=new_items("A", "A/", "A//"))
    path = f"{order_path(order['id'])}/items"
    assert client.call("PATCH", f"{path}/A%2F", {"status": PREPARING}).json()["plu"] == "A/"
    assert client.call("PATCH", f"{path}/A/", {"status": READY}).json()["plu"] == "A/"
    assert client.call("PATCH", f"{path}/A", {"status": READY}).json()["plu"] == "A"
    assert client.call("PATCH", f"{path}/A//", {"status": READY}).json()["plu"] == "A//"


def test_whole_numbers_may_be_written_with_a_zero_fraction(client: Client) -> None:
    """JSON Schema counts 1.0 among the integers, and some languages have no other numbers."""
    line = new_items("A", quantity=1.0, price=990.0, status=1.0)[0]
    line["modifiers"] = [{"name": "cheese", "quantity": 2.0, "modifiers": [{"name": "hot", "quantity": 3.0}]}]
    past = [{"status": 1.0, "timestamp": "2026-07-22T20:08:02Z"}]
    order = client.created(items=[line, *new_items("B", quantity=1e2, price=-0.0)], statusHistory=past)

    first, second = order["items"]
    assert (repr(first["quantity"]), repr(first["price"]), first["status"]) == ("1", "990", "ORDERED")
    assert (second["quantity"], repr(second["price"])) == (100, "0")
    (cheese,) = first["modifiers"]
    assert (repr(cheese["quantity"]), repr(cheese["modifiers"][0]["quantity"])) == ("2", "3")
    assert order == client.order(order["id"])

    path = item_path(order["id"], "A")
    item = client.call("PATCH", path, {"quantity": 4.0, "status": 2.0}).json()
    assert (repr(item["quantity"]), item["status"]) == ("4", "PREPARING")
    moved = client.call("PATCH", order_path(order["id"]), {"status": 3.0}).json()
    assert (moved["status"], moved["items"][0]["status"]) == ("READY", "READY")


def test_snake_case_is_accepted_at_every_level(client: Client) -> None:
    body = {
        "_id": unique("snake"), "account": unique("account"), "brand_id": "b", "channel_order_id": "c-1",
        "customer": {"name": "Aino", "phone_number": "+358"}, "delivery_address": {"city": "Espoo", "street": "Tie 1", "postal_code": "02100"},
        "pickup_time": "2026-07-22T20:28:02Z", "items": new_items("A"),
        "status_history": [{"status": RECEIVED, "timestamp": "2021-07-22T20:08:02Z"}],
    }  # fmt: skip
    order = client.create(body).json()
    assert (order["brandId"], order["channelOrderId"], order["pickupTime"]) == (
        "b",
        "c-1",
        "2026-07-22T20:28:02Z",
    )
    assert order["customer"] == {"name": "Aino", "phoneNumber": "+358"}
    assert order["deliveryAddress"] == {"city": "Espoo", "street": "Tie 1", "postalCode": "02100"}
    assert [(row["status"], row["kind"]) for row in order["statusHistory"]] == [("RECEIVED", "import")]
    assert not [name for name in order if "_" in name]


NAMES = {1: "RECEIVED", 2: "PREPARING", 3: "READY", 4: "PICKED_UP", 5: "CANCELLED"}


@pytest.mark.parametrize("number, name", list(NAMES.items()))
def test_statuses_go_in_as_number_or_name_and_come_out_as_name(
    client: Client, number: int, name: str
) -> None:
    item = {1: "ORDERED"}.get(number, name)
    for status in (number, name):
        order = client.created(status=status)
        assert order["status"] == name
        assert {line["status"] for line in order["items"]} == {item}
        assert order["statusHistory"][-1]["status"] == name
    for status in (number, item):
        order = client.created(
            status="CANCELLED" if number == 5 else "PREPARING", items=new_items("A", status=status)
        )
        assert order["items"][0]["status"] == item


def test_live_items_behind_an_order_that_arrives_ready_follow_it(client: Client) -> None:
    lines = [{**new_items(f"P-{status}")[0], "status": status} for status in (1, 2, 3, 4, 5)]
    for status, expected in {
        "PREPARING": ["ORDERED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"],
        "READY": ["READY", "READY", "READY", "PICKED_UP", "CANCELLED"],
        "PICKED_UP": ["PICKED_UP", "PICKED_UP", "PICKED_UP", "PICKED_UP", "CANCELLED"],
        "CANCELLED": ["CANCELLED", "CANCELLED", "CANCELLED", "PICKED_UP", "CANCELLED"],
    }.items():
        order = client.created(status=status, items=lines)
        assert [line["status"] for line in order["items"]] == expected
        assert (order["status"], order["version"]) == (status, 1)


def test_an_order_without_id_gets_one_and_a_place(client: Client) -> None:
    body = new_order()
    del body["id"]
    answer = client.create(body)
    assert answer.status == 201
    order = answer.json()
    assert re.fullmatch(r"[0-9a-f-]{36}", order["id"])
    assert client.order(order["id"]) == order


def test_extras_of_an_order_are_stored(client: Client) -> None:
    modifiers = [{"name": "Patty", "quantity": 1, "modifiers": [{"name": "no onion", "quantity": 2}]}]
    item = {
        "plu": "A", "name": "Älä 🍔", "quantity": 9_999, "note": "well done", "allergens": ["gluten", "nuts"], "price": 1_250,
        "modifiers": modifiers, "unknown": {"a": [1]},
    }  # fmt: skip
    order = client.created(
        items=[item],
        note="ring twice",
        channel="wolt",
        currency="SEK",
        channelOrderDisplayId="A12",
        unknown=None,
    )
    line = order["items"][0]
    assert {name: line[name] for name in item if name not in ("unknown", "modifiers")} == {
        name: value for name, value in item.items() if name not in ("unknown", "modifiers")
    }
    assert line["modifiers"][0]["modifiers"][0]["name"] == "no onion"
    assert (order["note"], order["channel"], order["currency"]) == ("ring twice", "wolt", "SEK")
    assert order["channelOrderDisplayId"] == "A12"
    assert "unknown" not in order


def test_notes_of_10000_characters_are_kept_whole(client: Client) -> None:
    note = "n" * 9_993 + " PEANUT"
    order = client.created(note=note, items=new_items("A", note=note))
    assert (order["note"], order["items"][0]["note"]) == (note, note)
    longer = note.replace("PEANUT", "ALMOND")
    assert client.call("PATCH", order_path(order["id"]), {"note": longer}).status == 200
    assert client.order(order["id"])["note"] == longer


@pytest.mark.parametrize("without", [{"quantity": 0}, {"quantity": 2, "removed": True}, {"removed": True}])
def test_a_modifier_that_is_left_out_has_the_quantity_0(client: Client, without: dict[str, Any]) -> None:
    tomato, egg = {"name": "tomato", **without}, {"name": "egg", "removed": False}
    order = client.created(items=new_items("A", modifiers=[{**egg, "modifiers": [tomato]}, tomato]))
    left_out, kept = {"name": "tomato", "quantity": 0}, {"name": "egg", "quantity": 1}
    assert order["items"][0]["modifiers"] == [{**kept, "modifiers": [left_out]}, left_out]
    assert client.order(order["id"])["items"] == order["items"]


def test_due_is_the_pickup_time_or_once_passed_the_kitchens_target(client: Client) -> None:
    assert client.created(pickupTime="2099-01-01T10:00:00Z")["dueAt"] == "2099-01-01T10:00:00Z"
    late = client.created(pickupTime="2021-07-22T20:28:02Z")
    assert late["dueAt"] > late["statusHistory"][0]["timestamp"]


def test_an_id_that_exists_is_a_conflict_that_links_to_its_order(client: Client) -> None:
    order = client.created()
    problem = check_problem(client.create(new_order(id=order["id"], note="another")), 409, "order_exists")
    assert problem["order"].endswith(f"/api/orders/{order['id']}")
    assert client.get(problem["order"]).json() == order
    assert client.stored(account=order["account"]) == [order]


def test_request_id_is_accepted_or_generated(client: Client) -> None:
    assert (
        client.get("/orders", headers={"X-Request-Id": "my-request.1"}).headers["X-Request-Id"]
        == "my-request.1"
    )
    generated = {client.get("/orders?limit=1").headers["X-Request-Id"] for _ in range(3)}
    assert len(generated) == 3
