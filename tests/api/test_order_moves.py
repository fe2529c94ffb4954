"""Orders and items move forward, move each other, and are recalled; versions guard against stale writes."""

from itertools import pairwise, product

import pytest

from orders.statuses import PREPARING, READY
from tests.api.client import Client, check_problem, new_items, order_path

STATUSES = ["RECEIVED", "PREPARING", "READY", "PICKED_UP", "CANCELLED"]
ITEM_STATUSES = ["ORDERED", *STATUSES[1:]]
TERMINAL = {"PICKED_UP", "CANCELLED"}


def allowed(current: str, names: list[str]) -> list[str]:
    return [] if current in TERMINAL else names[names.index(current) + 1 :]


@pytest.mark.parametrize("start, target", list(product(STATUSES, STATUSES)))
def test_an_order_moves_forward_only(client: Client, start: str, target: str) -> None:
    order = client.created(status=start)
    answer = client.move(order["id"], target)
    if start == target:
        assert (answer.status, answer.json()) == (200, order)
    elif target in allowed(start, STATUSES):
        moved = answer.json()
        assert (answer.status, moved["status"], moved["version"]) == (200, target, 2)
        assert {item["status"] for item in moved["items"]} == {target}
        assert moved == client.order(order["id"])
    else:
        problem = check_problem(answer, 409, "impossible_move")
        assert (problem["current"], set(problem["allowed"])) == (start, set(allowed(start, STATUSES)))
        assert client.order(order["id"]) == order


@pytest.mark.parametrize("start, target", list(product(ITEM_STATUSES[:3], ITEM_STATUSES)))
def test_an_item_moves_forward_only(client: Client, start: str, target: str) -> None:
    order = client.created(items=[*new_items("A", status=start), *new_items("B")])
    answer = client.move_item(order["id"], "A", target)
    after = client.order(order["id"])
    if start == target:
        assert (answer.status, after) == (200, order)
        assert answer.json() == order["items"][0]
    elif target in allowed(start, ITEM_STATUSES):
        assert (answer.status, answer.json()["status"], after["version"]) == (200, target, 2)
        assert answer.json() == after["items"][0]
        assert after["items"][1] == order["items"][1]
    else:
        problem = check_problem(answer, 409, "impossible_move")
        assert (problem["current"], set(problem["allowed"])) == (start, set(allowed(start, ITEM_STATUSES)))
        assert after == order


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_item_of_a_finished_order_cannot_move(client: Client, status: str) -> None:
    order = client.created(status=status)
    other = "READY" if status == "CANCELLED" else "CANCELLED"
    problem = check_problem(client.move_item(order["id"], "BURGER-1", other), 409, "impossible_move")
    assert (problem["current"], problem["allowed"]) == (status, [])
    assert client.move_item(order["id"], "BURGER-1", status).status == 200
    assert client.order(order["id"]) == order


def test_an_order_takes_along_the_items_that_are_behind(client: Client) -> None:
    lines = [{**new_items(f"P-{status}")[0], "status": status} for status in (1, 2, 3, 4, 5)]
    order = client.created(items=lines)
    moved = client.move(order["id"], "READY").json()
    assert [line["status"] for line in moved["items"]] == [
        "READY",
        "READY",
        "READY",
        "PICKED_UP",
        "CANCELLED",
    ]
    rows = [
        moved["statusHistory"][-1],
        moved["items"][0]["statusHistory"][-1],
        moved["items"][1]["statusHistory"][-1],
    ]
    assert len({row["change"] for row in rows}) == 1
    assert [later["sequence"] - sooner["sequence"] for sooner, later in pairwise(rows)] == [1, 1]
    cancelled = client.move(order["id"], "CANCELLED").json()
    assert [line["status"] for line in cancelled["items"]] == ["CANCELLED"] * 3 + ["PICKED_UP", "CANCELLED"]


def test_items_lift_their_order(client: Client) -> None:
    order = client.created(items=new_items("A", "B", "C"))
    steps = [
        ("A", "PREPARING", "PREPARING"), ("A", "READY", "PREPARING"), ("C", "CANCELLED", "PREPARING"), ("B", "READY", "READY"),
        ("A", "PICKED_UP", "READY"), ("B", "PICKED_UP", "PICKED_UP"),
    ]  # fmt: skip
    for version, (plu, status, expected) in enumerate(steps, start=2):
        assert client.move_item(order["id"], plu, status).status == 200
        now = client.order(order["id"])
        assert (now["status"], now["version"]) == (expected, version)
    assert [row["status"] for row in now["statusHistory"]] == ["RECEIVED", "PREPARING", "READY", "PICKED_UP"]
    all_cancelled = client.created(items=new_items("A", "B"))
    for plu in "AB":
        client.move_item(all_cancelled["id"], plu, "CANCELLED")
    assert client.order(all_cancelled["id"])["status"] == "CANCELLED"


def test_reason_and_actor_are_stored(client: Client) -> None:
    order = client.created()
    answer = client.call("PATCH", order_path(order["id"]), {"status": "CANCELLED", "reason": "no dough"})
    row = answer.json()["statusHistory"][-1]
    assert (row["reason"], row["kind"], row["from"]) == ("no dough", "transition", "RECEIVED")
    assert row["actor"].startswith("key:")


@pytest.mark.parametrize("body, pointer", [
    ({}, "/status"), ({"status": None}, "/status"), ({"status": 99}, "/status"), ({"status": "NOPE"}, "/status"),
    ({"status": True}, "/status"), ({"status": 2.5}, "/status"), ({"status": []}, "/status"), ({"status": 10**30}, "/status"),
    ({"status": PREPARING, "reason": 5}, "/reason"), ({"status": PREPARING, "reason": "x" * 501}, "/reason"), ({"status": ""}, "/status"),
    ({"reason": "why"}, "/status"), ({"status": "x" * 10_000}, "/status"),
])  # fmt: skip
def test_a_wrong_move_is_named_and_changes_nothing(
    client: Client, body: dict[str, object], pointer: str
) -> None:
    order = client.created()
    for path in (order_path(order["id"]), f"{order_path(order['id'])}/items/BURGER-1"):
        check_problem(client.call("PATCH", path, body), 400, "invalid_body", {pointer})
    assert client.order(order["id"]) == order


@pytest.mark.parametrize("body, pointer", [
    ({"plu": 5}, "/plu"), ({"plu": ""}, "/plu"), ({"plu": []}, "/plu"), ({"plu": "x" * 129}, "/plu"),
    ({"reason": 5}, "/reason"), ({"reason": "x" * 501}, "/reason"),
])  # fmt: skip
def test_a_wrong_recall_is_named_and_changes_nothing(
    client: Client, body: dict[str, object], pointer: str
) -> None:
    order = client.created()
    client.move(order["id"], PREPARING)
    before = client.order(order["id"])
    check_problem(client.recall(order["id"], body), 400, "invalid_body", {pointer})
    assert client.order(order["id"]) == before


def test_recall_takes_back_the_latest_change_as_a_whole(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    client.move_item(order["id"], "A", "PREPARING")
    moved = client.move(order["id"], "READY").json()
    back = client.recall(order["id"], {"reason": "wrong bag"})
    assert back.status == 200
    again = back.json()
    assert (again["status"], [item["status"] for item in again["items"]]) == (
        "PREPARING",
        ["PREPARING", "ORDERED"],
    )
    assert again["version"] == moved["version"] + 1
    row = again["statusHistory"][-1]
    assert (row["kind"], row["from"], row["status"], row["reason"]) == (
        "recall",
        "READY",
        "PREPARING",
        "wrong bag",
    )
    assert client.recall(order["id"]).json()["status"] == "RECEIVED"
    check_problem(client.recall(order["id"]), 409, "nothing_to_recall")


def test_recall_needs_no_body(client: Client) -> None:
    order = client.created()
    client.move(order["id"], "PREPARING")
    answer = client.call("POST", f"{order_path(order['id'])}/recall")
    assert (answer.status, answer.json()["status"]) == (200, "RECEIVED")


def test_recall_of_one_item_leaves_the_others(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    client.move_item(order["id"], "A", "READY")
    client.move_item(order["id"], "B", "PREPARING")
    back = client.recall(order["id"], {"plu": "A"}).json()
    assert (back["status"], [item["status"] for item in back["items"]]) == (
        "PREPARING",
        ["ORDERED", "PREPARING"],
    )
    check_problem(client.recall(order["id"], {"plu": "A"}), 409, "nothing_to_recall")
    check_problem(client.recall(order["id"], {"plu": "NOPE"}), 404, "not_found")


def test_recall_is_blocked_by_an_item_that_has_moved_on(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    client.move(order["id"], "PREPARING")
    client.move_item(order["id"], "A", "READY")
    before = client.order(order["id"])
    problem = check_problem(client.recall(order["id"], {"plu": "B"}), 409, "recall_blocked")
    assert str(before["items"][0]["statusHistory"][-1]["change"]) in problem["detail"]
    assert client.order(order["id"]) == before


def test_a_cancellation_is_final(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    client.move_item(order["id"], "A", "CANCELLED")
    check_problem(client.recall(order["id"]), 409, "cancellation_is_final")
    client.move(order["id"], "CANCELLED")
    before = client.order(order["id"])
    check_problem(client.recall(order["id"]), 409, "cancellation_is_final")
    assert client.order(order["id"]) == before


def test_etag_is_the_version(client: Client) -> None:
    answer = client.create()
    order_id = answer.json()["id"]
    assert answer.headers["ETag"] == '"1"'
    assert client.get(order_path(order_id)).headers["ETag"] == '"1"'
    assert client.move(order_id, PREPARING, headers={"If-Match": '"1"'}).headers["ETag"] == '"2"'
    item = client.move_item(order_id, "BURGER-1", READY, headers={"If-Match": '"2"'})
    assert (item.status, item.headers["ETag"]) == (200, '"3"')
    assert client.recall(order_id, headers={"If-Match": '"3"'}).headers["ETag"] == '"4"'
    unchanged = client.get(order_path(order_id), headers={"If-None-Match": '"4"'})
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", '"4"')
    assert client.get(order_path(order_id), headers={"If-None-Match": '"1", "4"'}).status == 304
    assert client.get(order_path(order_id), headers={"If-None-Match": 'W/"4"'}).status == 304
    assert client.get(order_path(order_id), headers={"If-None-Match": "*"}).status == 304
    assert client.get(order_path(order_id), headers={"If-None-Match": '"3"'}).status == 200


def test_a_stale_version_changes_nothing(client: Client) -> None:
    order = client.created()
    client.move(order["id"], "PREPARING")
    before = client.order(order["id"])
    stale = {"If-Match": '"1"'}
    for answer in (
        client.move(order["id"], "READY", headers=stale),
        client.move_item(order["id"], "BURGER-1", "READY", headers=stale),
        client.recall(order["id"], headers=stale),
    ):
        check_problem(answer, 412, "stale_version")
    assert client.order(order["id"]) == before
    assert client.move(order["id"], "READY", headers={"If-Match": "*"}).status == 200
    assert client.move(order["id"], "PICKED_UP", headers={"If-Match": '"1", "3"'}).status == 200
