"""Retries with an Idempotency-Key are safe: the work is done once, the first answer is given again."""

from collections.abc import Callable
from typing import Any

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


def test_a_refused_order_may_be_corrected_under_a_new_key(client: Client) -> None:
    body, headers = new_order(), {"Idempotency-Key": unique("key")}
    check_problem(client.create({**body, "items": []}, headers=headers), 400, "invalid_body")
    answer = client.create(body, headers=headers)
    assert answer.status in (201, 422)  # the text leaves open whether a refusal uses up the key
    assert client.create(body, headers={"Idempotency-Key": unique("key")}).status == (
        201 if answer.status == 422 else 409
    )


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
    assert answer.status in (200, 422)
    assert answer.status == 422 or answer.json()["id"] == second["id"]
