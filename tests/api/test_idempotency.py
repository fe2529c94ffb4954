"""Retries with an Idempotency-Key are safe: the work is done once, the first answer is given again."""

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Answer, Client, check_problem, new_order, order_path, unique

SCOPES = ["orders:read", "orders:write", "orders:recall"]


def replayed(answer: Answer) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def without_id() -> dict[str, Any]:
    body = new_order()
    del body["id"]
    return body


def test_the_same_order_again_gets_the_first_answer(client: Client) -> None:
    body, headers = without_id(), {"Idempotency-Key": unique("key")}
    first = client.create(body, headers=headers)
    client.move(first.json()["id"], "READY")
    again = client.create(body, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert (replayed(first), replayed(again)) == (False, True)
    assert again.json() == first.json()
    assert len(client.stored(account=body["account"])) == 1


def test_an_order_with_its_own_id_is_replayed_not_a_conflict(client: Client) -> None:
    body, headers = new_order(), {"Idempotency-Key": unique("key")}
    first = client.create(body, headers=headers)
    again = client.create(body, headers=headers)
    assert (again.status, again.json(), replayed(again)) == (201, first.json(), True)
    check_problem(client.create(body), 409, "order_exists")
    check_problem(client.create(body, headers={"Idempotency-Key": unique("key")}), 409, "order_exists")


def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    body, headers = new_order(), {"Idempotency-Key": unique("key")}
    first = client.create(body, headers=headers)
    other = new_order()
    check_problem(client.create(other, headers=headers), 422, "idempotency_mismatch")
    assert client.get(order_path(other["id"])).status == 404
    assert client.create(body, headers=headers).json() == first.json()


def test_keys_belong_to_an_api_key(client: Client, client_with: Callable[..., Client]) -> None:
    body, headers = without_id(), {"Idempotency-Key": unique("key")}
    mine = client.create(body, headers=headers)
    theirs = client_with(SCOPES).create(body, headers=headers)
    assert (mine.status, theirs.status, replayed(theirs)) == (201, 201, False)
    assert mine.json()["id"] != theirs.json()["id"]


def test_a_refused_order_is_corrected_under_a_new_key(client: Client) -> None:
    body, headers = new_order(), {"Idempotency-Key": unique("key")}
    check_problem(client.create({**body, "items": []}, headers=headers), 400, "invalid_body")
    check_problem(client.create(body, headers=headers), 422, "idempotency_mismatch")
    assert client.create(body, headers={"Idempotency-Key": unique("key")}).status == 201


def test_a_recall_is_done_once(client: Client) -> None:
    order = client.created()
    client.move(order["id"], "PREPARING")
    client.move(order["id"], "READY")
    headers = {"Idempotency-Key": unique("key")}
    first = client.recall(order["id"], headers=headers)
    again = client.recall(order["id"], headers=headers)
    assert (first.json()["status"], again.json(), replayed(again)) == ("PREPARING", first.json(), True)
    assert client.order(order["id"]) == first.json()


def test_a_move_is_replayed_even_when_the_order_has_moved_on(client: Client) -> None:
    order = client.created()
    headers = {"Idempotency-Key": unique("key")}
    first = client.move(order["id"], "PREPARING", headers=headers)
    client.move(order["id"], "READY")
    again = client.move(order["id"], "PREPARING", headers=headers)
    assert (again.status, again.json(), replayed(again)) == (200, first.json(), True)
    assert client.order(order["id"])["status"] == "READY"


def test_one_key_on_two_routes_is_no_replay(client: Client) -> None:
    first, second = client.created(), client.created()
    headers = {"Idempotency-Key": unique("key")}
    client.move(first["id"], "PREPARING", headers=headers)
    answer = client.move(second["id"], "PREPARING", headers=headers)
    assert (answer.status, answer.json()["id"], replayed(answer)) == (200, second["id"], False)


def send_half(
    client: Client, method: str, path: str, raw: bytes, key: str, *, chunked: bool, keep: int
) -> None:
    """A request whose connection breaks (TCP reset) after `keep` bytes of its body; returns when the server has seen it."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(raw)}"
    part = f"{len(raw):x}\r\n".encode() + raw[:keep] if chunked else raw[:keep]
    head = [
        f"{method} /api{path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {client.key}",
        "Content-Type: application/json",
        f"Idempotency-Key: {key}",
        length,
    ]
    with socket.create_connection((client.host, client.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + part)
        connection.shutdown(socket.SHUT_WR)  # the server sees the end, and may answer; then it is over
        while connection.recv(65536):
            pass
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_request_that_broke_off_uses_up_no_key(client: Client, chunked: bool, share: float) -> None:
    body, key = new_order(), unique("key")
    raw = json.dumps(body).encode()
    send_half(client, "POST", "/orders", raw, key, chunked=chunked, keep=int(share * len(raw)))
    assert client.get(order_path(body["id"])).status == 404
    assert client.create(raw=raw, headers={"Idempotency-Key": key}).status == 201


@pytest.mark.parametrize("chunked", [False, True])
def test_a_recall_of_an_item_that_broke_off_does_not_recall_the_order(client: Client, chunked: bool) -> None:
    """Without a body it would be a recall of the order's latest change, whatever that was."""
    order = client.created()
    client.move_item(order["id"], "BURGER-1", "READY")
    before = client.order(order["id"])
    path = f"{order_path(order['id'])}/recall"
    send_half(client, "POST", path, b'{"plu": "SUSHI-1"}', unique("key"), chunked=chunked, keep=0)
    assert client.order(order["id"]) == before
