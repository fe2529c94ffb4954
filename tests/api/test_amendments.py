"""The PATCHes that move orders and items also amend them: what the cook must know, without a new status."""

from typing import Any
from urllib.parse import quote

import pytest

from orders.statuses import READY, RECEIVED
from tests.api.client import Client, check_problem, item_path, new_items, order_path

LATER = "2031-01-01T19:00:00Z"


def amend(client: Client, order: dict[str, Any], body: dict[str, Any], plu: str = "", **more: Any) -> Any:
    path = item_path(order["id"], plu) if plu else order_path(order["id"])
    return client.call("PATCH", path, body, **more)


def test_note_and_pickup_time_of_an_order_are_amended(client: Client) -> None:
    order = client.created(note="Ring twice")

    answer = amend(client, order, {"note": "Ring once", "pickupTime": LATER, "reason": "the customer wrote"})

    after = answer.json()
    assert (answer.status, after["note"], after["version"]) == (200, "Ring once", 2)
    assert after["pickupTime"] == after["dueAt"] == LATER
    assert answer.headers["ETag"] == '"2"'
    assert (after["status"], after["statusHistory"]) == (order["status"], order["statusHistory"])
    assert after == client.order(order["id"])
    assert amend(client, order, {"note": ""}).json()["note"] == ""


def test_note_and_quantity_of_an_item_are_amended(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))

    answer = amend(client, order, {"note": "no onion", "quantity": 3}, "A")

    after = client.order(order["id"])
    assert (answer.status, answer.json(), answer.headers["ETag"]) == (200, after["items"][0], '"2"')
    assert (after["items"][0]["quantity"], after["items"][0]["note"], after["version"]) == (3, "no onion", 2)
    assert after["items"][1] == order["items"][1]
    assert after["dueAt"] == order["dueAt"]


@pytest.mark.parametrize("plu", ["a/b #1", "äö 🍕", "C/"])
def test_plus_of_all_kinds_are_amended(client: Client, plu: str) -> None:
    order = client.created(items=new_items(plu))
    assert amend(client, order, {"quantity": 7}, plu).json()["quantity"] == 7


def test_the_same_values_again_change_nothing(client: Client) -> None:
    order = client.created(note="x")
    same = {"note": "x", "pickupTime": order["pickupTime"]}
    item = order["items"][0]
    assert amend(client, order, same).json() == order
    assert (
        amend(client, order, {"quantity": item["quantity"], "note": item["note"]}, item["plu"]).json() == item
    )
    assert client.order(order["id"]) == order


def test_status_and_amendment_together_are_both_done_or_neither(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    both = amend(client, order, {"status": "PREPARING", "note": "x"}, headers={"If-Match": '"1"'}).json()
    assert (both["status"], both["note"], both["version"]) == ("PREPARING", "x", 3)
    item = amend(client, order, {"status": READY, "quantity": 5}, "A", headers={"If-Match": '"3"'}).json()
    assert (item["status"], item["quantity"]) == ("READY", 5)

    before = client.order(order["id"])
    for body, plu in (({"status": "RECEIVED", "note": "y"}, ""), ({"status": RECEIVED, "quantity": 6}, "A")):
        check_problem(amend(client, order, body, plu), 409, "impossible_move")
    assert client.order(order["id"]) == before
    # What goes out now goes out as it was amended.
    out = amend(client, order, {"status": "PICKED_UP", "note": "z"}).json()
    assert (out["status"], out["note"]) == ("PICKED_UP", "z")


@pytest.mark.parametrize("end", ["PICKED_UP", "CANCELLED"])
def test_what_has_ended_is_not_amended(client: Client, end: str) -> None:
    order = client.created(items=new_items("A", "B"))
    client.move_item(order["id"], "A", end)
    problem = check_problem(amend(client, order, {"quantity": 9}, "A"), 409, "impossible_amendment")
    assert problem["current"] == end
    client.move(order["id"], end)
    ended = client.order(order["id"])
    for body, plu in (({"note": "y"}, ""), ({"pickupTime": LATER}, ""), ({"quantity": 9}, "B")):
        problem = check_problem(amend(client, order, body, plu), 409, "impossible_amendment")
        assert problem["current"] == end and end in problem["detail"]
    assert client.order(order["id"]) == ended


@pytest.mark.parametrize("body, pointers", [
    ({"note": None}, {"/note"}), ({"note": 5}, {"/note"}), ({"note": "x" * 10_001}, {"/note"}),
    ({"pickupTime": None}, {"/pickupTime"}), ({"pickupTime": "2031-01-01T19:00:00"}, {"/pickupTime"}),
    ({"pickup_time": "soon"}, {"/pickup_time"}),
    ({"pickupTime": LATER, "pickup_time": LATER}, {"/pickupTime"}),
    ({"note": 5, "pickupTime": 5, "status": 99, "reason": 5}, {"/note", "/pickupTime", "/status", "/reason"}),
    ({"note": "fine", "status": None}, {"/status"}), ({"quantity": 2}, {"/quantity"}),
    ({"reason": 5}, {"/reason", "/status"}),
])  # fmt: skip
def test_a_wrong_amendment_of_an_order_is_named_and_changes_nothing(
    client: Client, body: dict[str, Any], pointers: set[str]
) -> None:
    order = client.created()
    answer = amend(client, order, body)
    assert answer.status == 400
    assert {pointer.replace("pickup_time", "pickupTime") for pointer in answer.pointers} == {
        pointer.replace("pickup_time", "pickupTime") for pointer in pointers
    }
    assert client.order(order["id"]) == order


@pytest.mark.parametrize("body, pointers", [
    *[({"quantity": wrong}, {"/quantity"}) for wrong in (None, 0, -1, 1.5, "2", "2.0", True, 10_000, 10**30)],
    ({"quantity": 0, "note": [], "status": "NOPE"}, {"/quantity", "/note", "/status"}),
    ({"pickupTime": LATER}, {"/pickupTime"}),
])  # fmt: skip
def test_a_wrong_amendment_of_an_item_is_named_and_changes_nothing(
    client: Client, body: dict[str, Any], pointers: set[str]
) -> None:
    order = client.created()
    check_problem(amend(client, order, body, "BURGER-1"), 400, "invalid_body", pointers)
    assert client.order(order["id"]) == order


def test_nothing_to_change_says_what_could_be(client: Client) -> None:
    order = client.created()
    (error,) = check_problem(amend(client, order, {}), 400, "invalid_body", {"/status"})["errors"]
    assert error["code"] == "required" and "amended" in error["detail"]


@pytest.mark.parametrize("body, unknown, wrong", [
    ({"status": "PREPARING", "items": []}, {"/items"}, set()),
    ({"items": [{"plu": "BURGER-1", "name": "Burger", "quantity": 2}]}, {"/items"}, set()),
    ({"note": "x", "notes": "y", "a/b": 1, "Status": "READY"}, {"/notes", "/a~1b", "/Status"}, set()),
    ({"remark": "NO NUTS"}, {"/remark"}, set()),
    ({"reason": "late", "id": "x", "version": 1}, {"/id", "/version"}, set()),
    ({"status": 99, "pickupTime": "soon", "items": None}, {"/items"}, {"/status", "/pickupTime"}),
])  # fmt: skip
def test_unknown_fields_of_an_order_are_refused_by_name(
    client: Client, body: dict[str, Any], unknown: set[str], wrong: set[str]
) -> None:
    order = client.created()
    problem = check_problem(amend(client, order, body), 400, "invalid_body")
    named = {error["pointer"]: error for error in problem["errors"]}
    assert named.keys() == unknown | wrong
    for place in unknown:
        assert named[place]["code"] == "unknown"
        assert "This call takes status, note, pickupTime, reason." in named[place]["detail"]
    if "/items" in unknown:
        assert "The content of an order is not changed by this call" in named["/items"]["detail"]
    assert client.order(order["id"]) == order


@pytest.mark.parametrize("body, pointers", [
    ({"status": "READY", "modifiers": []}, {"/modifiers"}),
    ({"quantity": 2, "price": 5, "name": "x"}, {"/price", "/name"}),
    ({"quantity": 0, "plu": "A"}, {"/quantity", "/plu"}),
    ({"pickup_time": LATER}, {"/pickup_time"}),
])  # fmt: skip
def test_unknown_fields_of_an_item_are_refused_by_name(
    client: Client, body: dict[str, Any], pointers: set[str]
) -> None:
    order = client.created()
    answer = amend(client, order, body, "BURGER-1")
    errors = check_problem(answer, 400, "invalid_body")["errors"]
    assert answer.pointers == pointers
    details = {error["detail"] for error in errors if error["code"] == "unknown"}
    assert details == {"There is no such field here. This call takes status, note, quantity, reason."}
    assert client.order(order["id"]) == order


def test_of_very_many_unknown_fields_the_first_are_named(client: Client) -> None:
    order = client.created()
    body = {"status": 2, **{f"{number}-{'x' * 1000}": 1 for number in range(500)}}
    answer = amend(client, order, body)
    check_problem(answer, 400, "invalid_body")
    assert len(answer.pointers) == 20 and len(answer.body) < 10_000
    assert client.order(order["id"]) == order


def test_both_spellings_of_a_field_are_known(client: Client) -> None:
    order = client.created()
    assert amend(client, order, {"pickup_time": LATER}).json()["pickupTime"] == LATER


def test_versions_and_retries_are_as_with_moves(client: Client) -> None:
    order = client.created()
    stale = amend(client, order, {"note": "x"}, headers={"If-Match": '"7"'})
    check_problem(stale, 412, "stale_version")
    once = {"Idempotency-Key": f"amend-{order['id']}", "If-Match": '"1"'}
    first, again = (amend(client, order, {"note": "x"}, headers=once) for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert client.order(order["id"])["version"] == 2
    check_problem(amend(client, order, {"note": "y"}, headers=once), 422, "idempotency_mismatch")


def test_the_list_of_what_was_updated_finds_it(client: Client) -> None:
    order = client.created(account="amended-account")
    assert client.stored(account="amended-account", updatedAfter=order["updatedAt"]) == []
    after = amend(client, order, {"quantity": 4}, "BURGER-1")
    assert after.status == 200
    assert [
        row["id"] for row in client.stored(account="amended-account", updatedAfter=order["updatedAt"])
    ] == [order["id"]]


def test_what_is_not_there_is_not_amended(client: Client) -> None:
    order = client.created()
    check_problem(amend(client, {"id": "nowhere"}, {"note": "x"}), 404, "not_found")
    check_problem(amend(client, order, {"note": "x"}, "nothing"), 404, "not_found")


def test_recall_after_an_amendment_takes_back_the_status_alone(client: Client) -> None:
    order = client.created()
    client.move(order["id"], "READY")
    amend(client, order, {"note": "x"})
    back = client.recall(order["id"]).json()
    assert (back["status"], back["note"], back["version"]) == ("RECEIVED", "x", 4)


def test_the_feed_tells_of_statuses_alone(client: Client) -> None:
    order = client.created()
    after = client.get("/orders/events?limit=200")
    while after.json()["hasMore"]:
        after = client.get(f"/orders/events?limit=200&after={quote(after.json()['next'])}")
    amend(client, order, {"note": "x"})
    assert client.get(f"/orders/events?after={quote(after.json()['next'])}").json()["results"] == []
