"""Requests that are wrong outside their body: size, media types, keys, scopes, URLs, methods, headers."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orders.statuses import PREPARING, READY
from tests.api.client import Client, check_problem, item_path, new_order, order_path
from tests.api.conftest import SCOPES

MIB = 1024 * 1024
ClientWith = Callable[..., Client]


def padded(body: dict[str, Any], size: int) -> bytes:
    """The body as JSON of exactly `size` bytes."""
    text = json.dumps(body).encode()
    return text[:-1] + b" " * (size - len(text)) + b"}"


def chunks(raw: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (raw[start : start + size] for start in range(0, len(raw), size))


def test_a_body_of_one_mebibyte_is_accepted_one_byte_more_is_not(client: Client) -> None:
    body = new_order()
    check_problem(client.create(raw=padded(body, MIB + 1)), 413, "body_too_large")
    assert client.get(order_path(body["id"])).status == 404
    assert client.create(raw=padded(body, MIB)).status == 201


def test_chunked_body_over_one_mebibyte_is_refused(client: Client) -> None:
    body = new_order()
    check_problem(client.create(raw=chunks(padded(body, MIB + 1))), 413, "body_too_large")
    assert client.get(order_path(body["id"])).status == 404


def test_a_chunked_body_is_accepted_like_any_other(client: Client) -> None:
    body = new_order()
    assert client.create(raw=chunks(json.dumps(body).encode(), 100)).status == 201
    assert client.call("PATCH", order_path(body["id"]), raw=chunks(b'{"status": "READY"}', 5)).status == 200
    assert client.order(body["id"])["status"] == "READY"


@pytest.mark.parametrize("call", ["order", "item", "recall"])
def test_move_with_a_body_over_one_mebibyte_changes_nothing(client: Client, call: str) -> None:
    order = client.created(status="PREPARING")
    path = {"order": "", "item": "/items/BURGER-1", "recall": "/recall"}[call]
    raw = padded({"status": READY, "reason": "x"}, MIB + 1)
    answer = client.call("POST" if call == "recall" else "PATCH", order_path(order["id"]) + path, raw=raw)
    check_problem(answer, 413, "body_too_large")
    assert client.order(order["id"]) == order


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html",
     "application/xml", "application/octet-stream", "nonsense", "application/", "/", ";", "json"],
)  # fmt: skip
def test_wrong_content_type_is_refused(client: Client, content_type: str) -> None:
    body = new_order()
    headers = {"Content-Type": content_type}
    check_problem(client.create(body, headers=headers), 415, "unsupported_media_type")
    assert client.get(order_path(body["id"])).status == 404
    order = client.created()
    for path in (order_path(order["id"]), item_path(order["id"], "BURGER-1")):
        check_problem(
            client.call("PATCH", path, {"status": PREPARING}, headers=headers), 415, "unsupported_media_type"
        )
    assert client.order(order["id"]) == order


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"]
)
def test_json_content_types_are_accepted(client: Client, content_type: str) -> None:
    assert client.create(headers={"Content-Type": content_type}).status == 201


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/xml", "image/png", "nonsense", "text/html,application/xhtml+xml,*/*;q=0.1"],
)
@pytest.mark.parametrize("path", ["/orders", "/orders/nope", "/nope", "/orders?limit=0"])
def test_answer_is_json_whatever_is_asked_for(client: Client, accept: str, path: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert answer.media_type in ("application/json", "application/problem+json")
    assert answer.status in (200, 400, 404, 406)


KEYS = [
    "", "Bearer", "Bearer ", "Bearer x", "Bearer huuva_", "Bearer huuva_abcdefgh_", "Bearer huuva_abcdefgh_secret",
    "Bearer a b c", "Bearer " + "x" * 7_000, "Basic dXNlcjpwYXNz", "Token abc", "nonsense", "Bearer huuva_äö_ü", "Bearer \xff\xfe",
    "Bearer huuva_'; --_x",
]  # fmt: skip


@pytest.mark.parametrize("authorization", KEYS, ids=lambda text: repr(text)[:40])
def test_without_a_good_key_nothing_is_shown_or_done(
    anonymous: Client, client: Client, authorization: str
) -> None:
    order = client.created()
    body = new_order()
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    codes = "missing_key invalid_key" if authorization else "missing_key"
    for answer in (
        anonymous.create(body, headers=headers),
        anonymous.get("/orders", headers=headers),
        anonymous.get(order_path(order["id"]), headers=headers),
        anonymous.get(order_path("no-such-order"), headers=headers),
        anonymous.get("/orders/events", headers=headers),
        anonymous.move(order["id"], PREPARING, headers=headers),
        anonymous.move_item(order["id"], "BURGER-1", PREPARING, headers=headers),
        anonymous.recall(order["id"], headers=headers),
        anonymous.create(raw=b"not json", headers=headers),
    ):
        check_problem(answer, 401, codes)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert order["customer"]["name"] not in answer.body.decode()
    assert client.get(order_path(body["id"])).status == 404
    assert client.order(order["id"]) == order


def test_a_key_with_another_secret_or_one_letter_more_is_refused(
    client: Client, client_with: ClientWith
) -> None:
    key = client_with(SCOPES).key
    assert key
    last = "a" if key[-1] != "a" else "b"
    for wrong in (key[:-1] + last, key + "a", key[:-1], key.upper(), key.rpartition("_")[0]):
        check_problem(client.get("/orders", headers={"Authorization": f"Bearer {wrong}"}), 401, "invalid_key")
    assert client.get("/orders", headers={"Authorization": f"bearer {key}"}).status == 200


CALLS: list[tuple[str, str, str, Any, int]] = [
    ("orders:write", "POST", "/orders", new_order, 201),
    ("orders:read", "GET", "/orders", None, 200),
    ("orders:read", "GET", "/orders/{id}", None, 200),
    ("orders:write", "PATCH", "/orders/{id}", {"status": READY}, 200),
    ("orders:write", "PATCH", "/orders/{id}/items/BURGER-1", {"status": READY}, 200),
    ("orders:recall", "POST", "/orders/{id}/recall", {}, 200),
    ("events:read", "GET", "/orders/events", None, 200),
]


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "status"), CALLS, ids=[f"{call[1]} {call[2]}" for call in CALLS]
)
def test_each_call_needs_its_scope(
    client: Client, client_with: ClientWith, scope: str, method: str, path: str, body: Any, status: int
) -> None:
    order = client.created()
    assert client.move(order["id"], "PREPARING").status == 200
    before = client.order(order["id"])
    path = path.format(id=order["id"])
    sent = body() if callable(body) else body
    without = client_with([name for name in SCOPES if name != scope])
    check_problem(without.call(method, path, sent), 403, "missing_scope")
    assert client.order(order["id"]) == before
    if callable(body):
        assert client.get(order_path(sent["id"])).status == 404
    assert client_with([scope]).call(method, path, sent).status == status


def test_another_kitchens_order_is_not_found(
    client: Client, client_with: ClientWith, other_kitchen: str
) -> None:
    mine = client.created(account="both-kitchens")
    stranger = client_with(SCOPES, kitchen=other_kitchen)
    for answer in (
        stranger.get(order_path(mine["id"])),
        stranger.move(mine["id"], PREPARING),
        stranger.move_item(mine["id"], "BURGER-1", PREPARING),
        stranger.recall(mine["id"]),
    ):
        check_problem(answer, 404, "not_found")
    assert client.order(mine["id"]) == mine
    assert mine["id"] not in {order["id"] for order in stranger.stored(account="both-kitchens")}
    events = stranger.get("/orders/events?limit=200").json()["results"]
    assert mine["id"] not in {event["orderId"] for event in events}


def test_a_key_orders_only_for_its_kitchen(
    client: Client, client_with: ClientWith, anywhere: Client, other_kitchen: str
) -> None:
    body = new_order(kitchen=other_kitchen)
    check_problem(client.create(body), 403, "kitchen_forbidden")
    assert anywhere.get(order_path(body["id"])).status == 404
    there = client_with(SCOPES, kitchen=other_kitchen)
    assert there.created()["kitchen"] == other_kitchen
    assert there.created(kitchen=other_kitchen)["kitchen"] == other_kitchen
    assert {order["kitchen"] for order in there.stored()} == {other_kitchen}


def test_a_key_for_all_kitchens_names_one_where_there_are_several(
    anywhere: Client, other_kitchen: str
) -> None:
    deadline = time.monotonic() + 30
    body = new_order()
    while (
        answer := anywhere.create(body)
    ).status == 201:  # for seconds a process knows the first kitchen only
        assert time.monotonic() < deadline
        body = new_order()
    check_problem(answer, 400, "invalid_body", {"/kitchen"})
    assert anywhere.get(order_path(body["id"])).status == 404
    for kitchen in ("main", other_kitchen):
        assert anywhere.created(kitchen=kitchen)["kitchen"] == kitchen


def test_an_id_taken_in_another_kitchen_says_nothing_about_that_order(
    client: Client, client_with: ClientWith, other_kitchen: str
) -> None:
    mine = client.created(note="for the neighbour")
    answer = client_with(SCOPES, kitchen=other_kitchen).create(new_order(id=mine["id"]))
    assert (answer.status, answer.json()["id"], answer.json()["kitchen"]) == (201, mine["id"], other_kitchen)
    assert "for the neighbour" not in answer.body.decode()
    assert client.order(mine["id"]) == mine
