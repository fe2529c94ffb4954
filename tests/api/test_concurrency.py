"""Many callers at once: one wins, the others get the true state, and the data is consistent."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.api.client import Answer, Client, check_problem, new_items, new_order, order_path, unique
from tests.api.test_events import rows
from tests.threads import at_once

Call = Callable[[], Answer]
RANK = {"RECEIVED": 1, "ORDERED": 1, "PREPARING": 2, "READY": 3, "PICKED_UP": 4, "CANCELLED": 5}


def check_consistency(client: Client, order_id: str) -> dict[str, Any]:
    """Status is the last history row, rows follow each other, sequences have no gap, the version counts changes."""
    order = client.order(order_id)
    history = rows(order)
    assert [sequence for sequence, _, _ in history] == list(range(1, len(history) + 1))
    assert order["version"] == len({entry["change"] for _, _, entry in history})
    for thing in (order, *order["items"]):
        entries = thing["statusHistory"]
        assert thing["status"] == entries[-1]["status"]
        for sooner, later in pairwise(entries):
            assert later["from"] == sooner["status"]
            assert sooner["timestamp"] <= later["timestamp"]
            forward = RANK[later["status"]] > RANK[sooner["status"]]
            assert forward == (later["kind"] != "recall"), entries
    return order


def test_twelve_threads_with_the_same_move_succeed_and_record_it_once(client: Client) -> None:
    order = client.created()
    answers = at_once(*[lambda: client.move(order["id"], "PREPARING")] * 12)
    assert [answer.status for answer in answers] == [200] * 12
    after = check_consistency(client, order["id"])
    assert [entry["status"] for entry in after["statusHistory"]] == ["RECEIVED", "PREPARING"]
    assert after["version"] == 2


def test_twelve_threads_with_the_same_item_move_record_it_once(client: Client) -> None:
    order = client.created(items=new_items("A", "B"))
    answers = at_once(*[lambda: client.move_item(order["id"], "A", "READY")] * 12)
    assert [answer.status for answer in answers] == [200] * 12
    after = check_consistency(client, order["id"])
    assert [entry["status"] for entry in after["items"][0]["statusHistory"]] == ["ORDERED", "READY"]
    assert (after["status"], after["version"]) == ("PREPARING", 2)


def test_twelve_threads_with_the_same_new_order_make_one(client: Client) -> None:
    body = new_order()
    answers = at_once(*[lambda: client.create(body)] * 12)
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 11}
    for answer in answers:
        if answer.status == 409:
            check_problem(answer, 409, "order_exists")
    assert len(client.stored(account=body["account"])) == 1
    check_consistency(client, body["id"])


@pytest.mark.parametrize("with_id", [True, False], ids=["own id", "made id"])
def test_eight_threads_with_one_idempotency_key_make_one_order(client: Client, with_id: bool) -> None:
    body, headers = new_order(), {"Idempotency-Key": unique("key")}
    if not with_id:
        del body["id"]
    answers = at_once(*[lambda: client.create(body, headers=headers)] * 8)
    (order,) = client.stored(account=body["account"])
    first = [answer for answer in answers if answer.status == 201]
    assert first
    assert {answer.json()["id"] for answer in first} == {order["id"]}
    assert sum(answer.headers.get("Idempotent-Replayed") != "true" for answer in first) == 1
    for answer in answers:
        if answer.status != 201:
            check_problem(answer, 409, "idempotency_in_progress")
            assert int(answer.headers["Retry-After"]) >= 1
    assert client.create(body, headers=headers).headers["Idempotent-Replayed"] == "true"
    check_consistency(client, order["id"])


@pytest.mark.parametrize("round_number", range(6))
def test_bump_and_cancellation_at_once(client: Client, round_number: int) -> None:
    order = client.created()
    bump, cancel = at_once(
        lambda: client.move(order["id"], "PREPARING"), lambda: client.move(order["id"], "CANCELLED")
    )
    assert cancel.status == 200
    assert bump.status in (200, 409)
    if bump.status == 409:
        problem = check_problem(bump, 409, "impossible_move")
        assert (problem["current"], problem["allowed"]) == ("CANCELLED", [])
        assert "key:" in problem["detail"], "the refusal says who was faster"
        assert "CANCELLED" in problem["detail"]
    after = check_consistency(client, order["id"])
    assert after["status"] == "CANCELLED"
    assert {item["status"] for item in after["items"]} == {"CANCELLED"}
    assert after["version"] == (2 if bump.status == 409 else 3)


def test_picked_up_and_cancelled_at_once_have_one_winner(client: Client) -> None:
    for _ in range(6):
        order_id = client.created(status="READY")["id"]
        answers = at_once(*[partial(client.move, order_id, to) for to in ("PICKED_UP", "CANCELLED")])
        assert sorted(answer.status for answer in answers) == [200, 409]
        winner = "PICKED_UP" if answers[0].status == 200 else "CANCELLED"
        after = check_consistency(client, order_id)
        assert (after["status"], after["version"]) == (winner, 2)


def test_if_match_lets_one_of_many_through(client: Client) -> None:
    order = client.created(items=new_items("A", "B", "C", "D"))
    headers = {"If-Match": '"1"'}
    answers = at_once(*[partial(client.move_item, order["id"], plu, 2, headers=headers) for plu in "ABCD"])
    assert Counter(answer.status for answer in answers) == {200: 1, 412: 3}
    assert check_consistency(client, order["id"])["version"] == 2


def test_items_bumped_at_once_lift_their_order(client: Client) -> None:
    plus = [f"P-{number}" for number in range(10)]
    order = client.created(items=new_items(*plus))
    answers = at_once(*[partial(client.move_item, order["id"], plu, "READY") for plu in plus])
    assert {answer.status for answer in answers} == {200}
    after = check_consistency(client, order["id"])
    assert [entry["status"] for entry in after["statusHistory"]] == ["RECEIVED", "PREPARING", "READY"]
    assert after["version"] == 11


def test_two_undos_at_once_take_back_one_change_each(client: Client) -> None:
    order = client.created()
    for status in ("PREPARING", "READY", "PICKED_UP"):
        client.move(order["id"], status)
    answers = at_once(*[lambda: client.recall(order["id"])] * 2)
    assert [answer.status for answer in answers] == [200, 200]
    assert check_consistency(client, order["id"])["status"] == "PREPARING"


def test_everything_at_once_leaves_the_data_consistent(client: Client) -> None:
    for _ in range(3):
        order = client.created(items=new_items("A", "B", "C"))
        order_id = order["id"]
        answers = at_once(
            partial(client.move, order_id, "PREPARING"),
            partial(client.move, order_id, "READY"),
            partial(client.move_item, order_id, "A", "READY"),
            partial(client.move_item, order_id, "B", "PREPARING"),
            partial(client.move_item, order_id, "C", "CANCELLED"),
            partial(client.recall, order_id),
            partial(client.recall, order_id, {"plu": "A"}),
            partial(client.move, order_id, "PICKED_UP"),
            partial(client.get, order_path(order_id)),
        )
        assert {answer.status for answer in answers} <= {200, 409}
        check_consistency(client, order_id)
