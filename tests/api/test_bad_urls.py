"""URLs, methods, query parameters and headers that are wrong: problems that say what to change."""

import pytest

from orders.statuses import PREPARING
from tests.api.client import Client, check_problem, new_order, order_path

UNKNOWN = [
    "/nope",
    "/nope/",
    "/orderss",
    "/orders/a/b",
    "/orders/a/items",
    "/orders/a/items/",
    "/orders/a/recall/b",
    "/order/s",
    "/v1/orders",
]


@pytest.mark.parametrize("path", UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_unknown_url_is_a_problem_not_a_page(client: Client, path: str, method: str) -> None:
    answer = client.call(method, path, {} if method in ("POST", "PATCH") else None)
    check_problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    "order_id",
    [
        "nope",
        "%00",
        "a%00b",
        "%FF",
        "%ED%A0%80",
        "%C3",
        "%0A",
        "%20",
        "%E2%80%AE",
        "%25",
        "%",
        "%zz",
        "..%2F..",
        "x" * 129,
        "x" * 5_000,
    ],
)
def test_unknown_or_impossible_order_id_is_not_found(client: Client, order_id: str) -> None:
    path = f"/orders/{order_id}"
    for answer in (
        client.get(path),
        client.call("PATCH", path, {"status": PREPARING}),
        client.call("PATCH", f"{path}/items/A", {"status": PREPARING}),
        client.call("POST", f"{path}/recall", {}),
    ):
        assert answer.status in ((404,) if order_id == "nope" else (400, 404)), answer.body


@pytest.mark.parametrize(
    "plu",
    [
        "NOPE",
        "burger-1",
        "%00",
        "BURGER-1%00",
        "%FF",
        "%ED%A0%80",
        "%0A",
        "%",
        "BURGER-1%2Fx",
        "BURGER-1/x",
        "x" * 5_000,
        ".",
        "..",
        "%2E",
        "%2E%2E",
    ],
)
def test_unknown_or_impossible_plu_is_not_found(client: Client, plu: str) -> None:
    order = client.created()
    answer = client.call("PATCH", f"{order_path(order['id'])}/items/{plu}", {"status": PREPARING})
    assert answer.status in ((404,) if plu == "NOPE" else (400, 404)), answer.body
    assert client.order(order["id"]) == order


METHODS = [
    ("/orders", {"GET", "POST"}, ["PUT", "PATCH", "DELETE", "TRACE", "FOO"]),
    ("/orders/{id}", {"GET", "PATCH"}, ["PUT", "POST", "DELETE", "TRACE", "FOO"]),
    ("/orders/{id}/items/BURGER-1", {"PATCH"}, ["GET", "PUT", "POST", "DELETE", "FOO"]),
    ("/orders/{id}/recall", {"POST"}, ["GET", "PUT", "PATCH", "DELETE", "FOO"]),
    ("/orders/events", {"GET"}, ["PUT", "POST", "PATCH", "DELETE", "FOO"]),
    ("/health", {"GET"}, ["PUT", "POST", "PATCH", "DELETE"]),
    ("/openapi.json", {"GET"}, ["PUT", "POST", "PATCH", "DELETE"]),
]


@pytest.mark.parametrize(
    ("path", "allowed", "method"),
    [(path, allowed, method) for path, allowed, methods in METHODS for method in methods],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_wrong_method_names_the_right_ones(
    client: Client, path: str, allowed: set[str], method: str, slash: str
) -> None:
    order = client.created()
    url = path.format(id=order["id"]) + slash
    answer = client.call(method, url, {"status": PREPARING} if method in ("PUT", "POST", "PATCH") else None)
    check_problem(answer, 405, "method_not_allowed")
    named = {name.strip() for name in answer.headers["Allow"].split(",")}
    assert allowed <= named
    assert method not in named
    assert client.order(order["id"]) == order


NO_TIME = [
    "now",
    "2021-07-22T20:28:02",
    "1626984482",
    "%00",
    "9999-99-99T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "2021-02-30T00:00:00Z",
    "0001-01-01T00:00:00%2B14:00",
    "%FF",
]
PARAMETERS: dict[str, list[str]] = {
    "limit": ["0", "201", "x", "-1", "1.5", "9" * 30, "9" * 5_000, "%00", "1%00", "%FF", "1e2", "0x10", "NaN"],
    "cursor": ["x", "garbage", "%00", "%FF", "MTIz", "bnVsbA==", "W10=", "eyJhIjogMX0=", "AAAA", "-1", "9" * 400, "%F0%9F%8D%94"],
    "status": ["99", "0", "-1", "NOPE", "%00", "%FF", "ORDERED", "1.5", "9" * 5_000],
    "from": NO_TIME,
    "to": NO_TIME,
    "updatedAfter": NO_TIME,
    "pickupFrom": NO_TIME,
    "pickupTo": NO_TIME,
    "late": ["maybe", "%00", "2"],
    "account": ["%00", "a%00b"],
    "brandId": ["%00"],
    "channelOrderId": ["%00"],
    "kitchen": ["%00"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}={value[:20]}")
        for name, values in PARAMETERS.items()
        for value in values
    ],
)
def test_bad_query_parameter_is_named(client: Client, name: str, value: str) -> None:
    check_problem(client.get(f"/orders?{name}={value}"), 400, "invalid_parameter", {f"?{name}"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("account", "brandId", "channelOrderId", "kitchen")
        for value in ("%FF", "%ED%A0%80", "x" * 4_000, "%F0%9F%8D%94", "'", "%25", "")
    ],
)
def test_odd_filter_values_find_nothing_or_are_refused(client: Client, name: str, value: str) -> None:
    answer = client.get(f"/orders?limit=1&{name}={value}")
    assert answer.status in (200, 400)


def test_every_bad_query_parameter_is_named_at_once(client: Client) -> None:
    answer = client.get("/orders?limit=0&status=99&from=now&late=maybe")
    check_problem(answer, 400, "invalid_parameter", {"?limit", "?status", "?from", "?late"})


@pytest.mark.parametrize("value", PARAMETERS["cursor"])
def test_bad_cursor_of_the_events_is_named(client: Client, value: str) -> None:
    check_problem(client.get(f"/orders/events?after={value}"), 400, "invalid_parameter", {"?after"})


@pytest.mark.parametrize("value", PARAMETERS["limit"])
def test_bad_limit_of_the_events_is_named(client: Client, value: str) -> None:
    check_problem(client.get(f"/orders/events?limit={value}"), 400, "invalid_parameter", {"?limit"})


@pytest.mark.parametrize(
    "tag",
    ["garbage", '"', '""', "W/", '"1', "1", '"x"', '"99999999999999999999"', ",", "\xff", 'W/"1"', "'1'"],
)
def test_if_match_that_cannot_match_changes_nothing(client: Client, tag: str) -> None:
    order = client.created()
    headers = {"If-Match": tag.encode("latin-1")}
    for answer in (
        client.move(order["id"], PREPARING, headers=headers),
        client.move_item(order["id"], "BURGER-1", PREPARING, headers=headers),
        client.recall(order["id"], headers=headers),
    ):
        assert answer.status in (400, 412), answer.body
    assert client.order(order["id"]) == order


@pytest.mark.parametrize("tag", ["garbage", '"', "W/", '"x"', ",", "\xff", '"99999999999999999999"'])
def test_if_none_match_that_cannot_match_shows_the_order(client: Client, tag: str) -> None:
    order = client.created()
    answer = client.get(order_path(order["id"]), headers={"If-None-Match": tag.encode("latin-1")})
    assert answer.status == 200
    assert answer.json() == order


@pytest.mark.parametrize(
    "key",
    ["x" * 256, "x" * 5_000, "ä", "\xff\xfe", "a\tb", "😀".encode().decode("latin-1")],
    ids=lambda key: repr(key)[:20],
)
def test_bad_idempotency_key_is_named(client: Client, key: str) -> None:
    body = new_order()
    answer = client.create(body, headers={"Idempotency-Key": key.encode("latin-1")})
    check_problem(answer, 400, "invalid_parameter", {"Idempotency-Key"})
    assert client.get(order_path(body["id"])).status == 404


@pytest.mark.parametrize(
    "request_id",
    ["a b", "<script>", "x" * 5_000, "ä", "\xff", "a\tb", '"', "{}", "a,b", "%0d%0aSet-Cookie:a=b"],
    ids=lambda text: repr(text)[:20],
)
def test_odd_request_id_is_replaced_or_harmless(client: Client, request_id: str) -> None:
    answer = client.get("/orders/nope", headers={"X-Request-Id": request_id.encode("latin-1")})
    check_problem(answer, 404, "not_found")
    answered_id = answer.headers["X-Request-Id"]
    assert answered_id.isascii() and answered_id.isprintable() and 0 < len(answered_id) <= 200
    assert not set(answered_id) & set('<>"\r\n')
