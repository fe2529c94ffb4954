"""Wrong fields of a new order: 400, every bad field named by its JSON pointer, nothing stored."""

from typing import Any

import pytest

from tests.api.client import Client, check_problem, new_items, new_order, order_path, unique

MISSING = object()
LONG = "x" * 70_000


def put(body: dict[str, Any], pointer: str, value: Any) -> None:
    """Sets (or takes away) what a JSON pointer names."""
    *path, last = pointer.removeprefix("/").split("/")
    place: Any = body
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is MISSING:
        del place[last]
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value


def refused(client: Client, body: dict[str, Any], pointers: set[str]) -> None:
    check_problem(client.create(body), 400, "invalid_body", pointers)
    order_id, account = body.get("id"), body.get("account")
    if (
        isinstance(order_id, str)
        and order_id.startswith("order-")
        and order_id.isascii()
        and order_id.isprintable()
    ):
        assert client.get(order_path(order_id)).status == 404
    if isinstance(account, str) and account.startswith("account-") and account.isprintable():
        assert client.stored(account=account) == []


def rows(*pairs: tuple[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(pointer, value, id=f"{pointer}={'missing' if value is MISSING else repr(value)[:40]}")
        for pointer, values in pairs
        for value in values
    ]


NO_TEXT = [None, 5, True, [], {}, ["a"], LONG]
NO_NAME = [*NO_TEXT, "", "   ", "\t"]
NO_OBJECT = [None, "John", 5, True, []]
NO_TIME = [
    None, "", "now", 1626984482, True, [], {},
    "2021-07-22", "2021-07-22T20:28:02", "2021-07-22 20:28:02", "20:28:02Z", "2021-07-22T20:28:02+99:00",
    "2021-02-30T00:00:00Z", "2021-13-01T00:00:00Z", "2021-07-22T25:00:00Z", "2021-07-22T20:61:00Z", "２０２１-07-22T20:28:02Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
    "2100-01-02T00:00:00Z", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "-2021-07-22T20:28:02Z", "2021-07-22T20:28:02Z" * 50,
]  # fmt: skip
NO_COUNT = [0, -1, 1.5, "2", "1.0", "", True, False, None, [], {}, 10_000, 10**30, -(10**30), 1e300]
NO_STATUS = [0, -1, 6, 99, 10**30, 2.5, True, [], {}, [1], {"status": 1}, "NOPE", "", " ", "RECEIVED ", LONG]

FIELDS = rows(
    ("/account", [MISSING, *NO_NAME]),
    ("/brandId", [MISSING, *NO_NAME]),
    ("/channelOrderId", [MISSING, *NO_NAME]),
    ("/customer", [MISSING, *NO_OBJECT]),
    ("/customer/name", [MISSING, *NO_NAME]),
    ("/customer/phoneNumber", [MISSING, *NO_TEXT[1:]]),
    ("/pickupTime", [MISSING, *NO_TIME]),
    ("/created", [value for value in NO_TIME if value is not None]),
    (
        "/id",
        [
            5,
            True,
            [],
            {},
            "",
            "   ",
            " a",
            "a ",
            "a\n",
            "a/b",
            "/",
            ".",
            "..",
            "events",
            "a\tb",
            "\x7f",
            "x" * 129,
        ],
    ),
    ("/items", [MISSING, None, [], "BURGER-1", 1, True, {}, {"plu": "A", "name": "A", "quantity": 1}]),
    ("/items/1", [None, "BURGER-1", 1, True, []]),
    ("/items/1/plu", [MISSING, None, 5, True, [], {}, "", "   ", "A\nB", "A\x7f", "x" * 129, ".", ".."]),
    ("/items/1/name", [MISSING, *NO_NAME]),
    ("/items/1/quantity", [MISSING, *NO_COUNT]),
    ("/items/1/status", [*NO_STATUS, "RECEIVED"]),
    ("/items/1/note", [5, True, [], {}, LONG]),
    ("/items/1/price", [1.5, "100", True, [], {}, 10**9 + 1, -(10**9) - 1, 10**30]),
    ("/items/1/allergens", ["nuts", 5, True, {"nuts": True}, [LONG], ["nuts"] * 20_000]),
    ("/items/1/modifiers", ["no onion", 5, True]),
    ("/status", [*NO_STATUS, "ORDERED", "3", "3.0", 6.0]),
    ("/statusHistory", ["RECEIVED", 5, True, {"status": 1}]),
    ("/note", [5, True, [], {}, LONG]),
    ("/channel", [5, True, [], {}, LONG]),
    ("/deliveryAddress", ["Huuvatie 1", 5, True, []]),
    ("/currency", [5, True, [], "", "EURO", "€", "E1R"]),
)


@pytest.mark.parametrize(("pointer", "value"), FIELDS)
def test_a_wrong_field_is_named(client: Client, pointer: str, value: Any) -> None:
    body = new_order()
    put(body, pointer, value)
    refused(client, body, {pointer})


@pytest.mark.parametrize(
    "value",
    [5, True, [], "no-such-kitchen", "", LONG, "../main", "main\n", "MAIN"],
    ids=lambda value: repr(value)[:20],
)
def test_an_unknown_kitchen_is_named(anywhere: Client, value: Any) -> None:
    refused(anywhere, new_order(kitchen=value), {"/kitchen"})


INNER: list[tuple[str, dict[str, Any], str]] = [
    ("city a number", {"deliveryAddress": {"city": 5}}, "/deliveryAddress/city"),
    ("street too long", {"deliveryAddress": {"street": LONG}}, "/deliveryAddress/street"),
    ("postal code a list", {"deliveryAddress": {"postalCode": ["00100"]}}, "/deliveryAddress/postalCode"),
    ("history entry a name", {"statusHistory": ["RECEIVED"]}, "/statusHistory/0"),
    ("history without status", {"statusHistory": [{"timestamp": "2021-07-22T20:08:02Z"}]}, "/statusHistory/0/status"),
    ("history without time", {"statusHistory": [{"status": 1}]}, "/statusHistory/0/timestamp"),
    *(
        (f"history {status!r:.20}", {"statusHistory": [{"status": status, "timestamp": "2021-07-22T20:08:02Z"}]}, "/statusHistory/0/status")
        for status in NO_STATUS
    ),
    *(
        (f"history at {time!r:.30}", {"statusHistory": [{"status": 1, "timestamp": time}]}, "/statusHistory/0/timestamp")
        for time in NO_TIME
    ),
    (
        "second entry",
        {"statusHistory": [{"status": 1, "timestamp": "2021-07-22T20:08:02Z"}, {"status": 7, "timestamp": "2021-07-22T20:08:02Z"}]},
        "/statusHistory/1/status",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "pointer"), [pytest.param(fields, pointer, id=name) for name, fields, pointer in INNER]
)
def test_a_wrong_inner_field_is_named(client: Client, fields: dict[str, Any], pointer: str) -> None:
    refused(client, new_order(**fields), {pointer})


def nested_modifiers(depth: int) -> list[dict[str, Any]]:
    tree: list[dict[str, Any]] = []
    for _ in range(depth):
        tree = [{"name": "extra", "quantity": 1, "modifiers": tree}]
    return tree


@pytest.mark.parametrize("depth", [60, 150])
def test_modifiers_nested_too_deep_are_refused(client: Client, depth: int) -> None:
    body = new_order(items=new_items("A", modifiers=nested_modifiers(depth)))
    answer = client.create(body)
    check_problem(answer, 400, "invalid_body invalid_json")
    assert client.stored(account=body["account"]) == []


@pytest.mark.parametrize(
    "modifier",
    [
        "no onion", 5, None, {}, {"name": 5, "quantity": 1}, {"name": "", "quantity": 1}, {"name": LONG, "quantity": 1},
        {"name": "onion", "quantity": -1}, {"name": "onion", "quantity": "1"}, {"name": "onion", "quantity": True},
        {"name": "onion", "quantity": 1.5}, {"name": "onion", "quantity": 10**30}, {"name": "onion", "removed": "yes"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_modifier_is_named(client: Client, modifier: Any) -> None:
    body = new_order(items=new_items("A", modifiers=[{"name": "cheese", "quantity": 1}, modifier]))
    problem = check_problem(client.create(body), 400, "invalid_body")
    assert [error for error in problem["errors"] if error["pointer"].startswith("/items/0/modifiers")], (
        problem
    )
    assert client.stored(account=body["account"]) == []


def test_a_fraction_is_refused_as_no_whole_number(client: Client) -> None:
    modifiers = [{"name": "cheese", "quantity": 2.5}]
    body = new_order(items=new_items("A", quantity=1.5, price=990.25, modifiers=modifiers))
    errors = check_problem(client.create(body), 400, "invalid_body")["errors"]
    assert {(error["pointer"], error["code"], error["detail"]) for error in errors} == {
        (f"/items/0/{field}", "type", "Send a whole number, without a fraction.")
        for field in ("quantity", "price", "modifiers/0/quantity")
    }
    assert client.stored(account=body["account"]) == []


@pytest.mark.parametrize("place", ["/note", "/items/0/note"])
def test_a_note_of_10001_characters_is_refused_with_the_limit(client: Client, place: str) -> None:
    note = "n" * 10_001
    more = {"note": note} if place == "/note" else {"items": new_items("A", note=note)}
    body = new_order(**more)
    (error,) = check_problem(client.create(body), 400, "invalid_body", {place})["errors"]
    assert (error["code"], error["detail"]) == ("too_long", "Send at most 10000 characters.")
    assert client.stored(account=body["account"]) == []


def test_201_items_are_too_many_and_200_are_not(client: Client) -> None:
    refused(client, new_order(items=new_items(*(f"P-{n}" for n in range(201)))), {"/items"})
    order = client.created(items=new_items(*(f"P-{n}" for n in range(200))))
    assert [item["plu"] for item in order["items"]] == [f"P-{n}" for n in range(200)]


def test_a_plu_may_stand_once_in_an_order(client: Client) -> None:
    body = new_order(items=new_items("A", "B", "A"))
    check_problem(client.create(body), 400, "invalid_body")
    answer = client.create(body)
    assert answer.pointers & {"/items/2/plu", "/items/2", "/items"}, answer.body
    assert client.get(order_path(body["id"])).status == 404


@pytest.mark.parametrize("plu", [".", ".."])
def test_a_plu_that_can_not_be_in_an_address_is_refused(client: Client, plu: str) -> None:
    body = new_order(items=[*new_items("A"), *new_items(plu)])
    (error,) = check_problem(client.create(body), 400, "invalid_body", {"/items/1/plu"})["errors"]
    assert error["code"] == "reserved" and "address" in error["detail"]
    assert client.get(order_path(body["id"])).status == 404
    # Modifiers have no address.
    client.created(items=new_items("...", ". ", modifiers=[{"name": "cheese", "plu": plu}]))


def test_both_ids_must_be_equal(client: Client) -> None:
    body = new_order()
    refused(client, {**body, "_id": body["id"] + "x"}, {"/id"})
    assert client.create({**body, "_id": body["id"]}).status == 201


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    body = new_order(
        pickupTime="tomorrow", brandId=5, status=99, statusHistory=[{"status": 99, "timestamp": "x"}]
    )
    del body["channelOrderId"]
    body["customer"] = {"name": ""}
    body["items"] = [
        {"plu": "", "name": "A", "quantity": 0},
        {"plu": "B", "name": "B", "quantity": 1},
        {"name": 5, "quantity": "2", "status": "NOPE"},
    ]
    refused(
        client,
        body,
        {
            "/pickupTime", "/brandId", "/status", "/statusHistory/0/status", "/statusHistory/0/timestamp", "/channelOrderId",
            "/customer/name", "/customer/phoneNumber", "/items/0/plu", "/items/0/quantity", "/items/2/plu", "/items/2/name",
            "/items/2/quantity", "/items/2/status",
        },
    )  # fmt: skip
    assert not any(pointer.startswith("/items/1") for pointer in client.create(body).pointers)


@pytest.mark.parametrize(
    "text",
    ["x" * 89, "Älä-käytä-😀", "a b", "a#b?c%d&e", "%2F", "a\\b", "'; DROP TABLE orders; --", "-", "0"],
)
def test_unusual_but_valid_ids_stay_as_they_are(client: Client, text: str) -> None:
    order_id = f"{text}{unique()}"  # unique() has 34 characters, 123 are allowed in main
    assert client.created(id=order_id)["id"] == order_id
    assert client.order(order_id)["id"] == order_id
    assert client.move(order_id, "PREPARING").status == 200
