"""Two kitchens beside each other: ids that both use, and ids that only channels have."""

import itertools
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orders.ids import marked_id
from tests.api.client import Answer, Client, check_problem, item_path, new_order, order_path, unique
from tests.api.conftest import SCOPES

type ClientWith = Callable[..., Client]


@pytest.fixture(scope="module")
def stranger(client_with: ClientWith, other_kitchen: str) -> Client:
    return client_with(SCOPES, kitchen=other_kitchen)


TIME = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z")
EACH_TIME = {"date", "x-request-id", "ratelimit", "content-length"}


def normalized(answer: Answer, order_id: str, account: str) -> str:
    """All that an answer says, without what differs between any two orders."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name.lower() not in EACH_TIME)
    text = f"{answer.status} {headers} {answer.body.decode()}"
    text = (
        text.replace(order_id, "ID").replace(json.dumps(order_id)[1:-1], "ID").replace(quoted(order_id), "ID")
    )
    text = re.sub(r'"requestId":"[^"]+"', "", text.replace(account, "ACCOUNT"))
    text = re.sub(r"\d\d:\d\d:\d\d UTC", "TIME", text)
    return TIME.sub("TIME", re.sub(r'"cursor":"[^"]+"|"next":"[^"]+"', "", text))


def quoted(order_id: str) -> str:
    return order_path(order_id).removeprefix("/orders/")


def responses(client: Client, order_id: str) -> list[str]:
    """What a key is answered to all that it can do with an order of this id, from before it is there."""
    account, key = unique("account"), {"Idempotency-Key": unique("key")}
    body = new_order(id=order_id, account=account, created="2026-05-01T10:00:00Z")
    beside = [
        new_order(id=f"{order_id}{end}", account=account, created="2026-05-01T10:00:00Z")
        for end in ("!", " x")
    ]
    mark = marked_id(order_id, "harju")
    _, start = events(client, None)
    answers = [
        client.get(order_path(order_id)),
        client.move(order_id, "READY"),
        client.create(body, headers=key),
        client.create(body, headers=key),
        client.create(body),
        client.create({**body, "note": "another"}),
        client.get(order_path(order_id)),
        client.get(order_path(order_id), headers={"If-None-Match": '"1"'}),
        client.get(order_path(mark)),
        client.move(mark, "READY"),
        client.create(new_order(id=mark)),
        client.create(beside[0]),
        client.create(beside[1]),
        client.get(f"/orders?account={account}"),
        client.get(f"/orders?account={account}&limit=1"),
        client.move_item(order_id, "SUSHI-1", "READY"),
        client.move_item(order_id, "NONE", "READY"),
        client.call(
            "PATCH", order_path(order_id), {"status": "READY", "note": "Ring once", "reason": "asked"}
        ),
        client.call("PATCH", item_path(order_id, "SUSHI-1"), {"quantity": 3}),
        client.recall(order_id),
        client.recall(order_id),
        client.move(order_id, "CANCELLED", headers={"If-Match": '"1"'}),
        client.move(order_id, "CANCELLED"),
        client.move(order_id, "PREPARING"),
        client.get(order_path(order_id)),
    ]
    outcomes = [normalized(answer, order_id, account) for answer in answers]
    of_mine = {order_id, *(each["id"] for each in beside)}
    seen_events, after = [], start
    deadline = time.monotonic() + 30
    # Twelve rows of the order itself, three of each beside it.
    while len(seen_events) < 16:
        more, after = events(client, after)
        seen_events += [event for event in more if event["orderId"] in of_mine]
        assert time.monotonic() < deadline, seen_events
    hidden = ("cursor", "at", "recordedAt")
    rows = [{name: value for name, value in event.items() if name not in hidden} for event in seen_events]
    return [*outcomes, json.dumps(rows).replace(json.dumps(order_id)[1:-1], "ID")]


def events(client: Client, after: str | None) -> tuple[list[dict[str, Any]], str]:
    collected: list[dict[str, Any]] = []
    while True:
        page = client.get("/orders/events?limit=200" + (f"&after={after}" if after else "")).json()
        collected, after = collected + page["results"], page["next"]
        if not page["hasMore"]:
            return collected, str(after)


IDS = ["A17-{}", "a b {}", "Ä😀{}", "%2F{}~", "0{}", "x" * 85 + "-{}"]


@pytest.mark.parametrize("shape", IDS)
def test_a_key_cannot_tell_another_kitchens_id_from_an_unused_one(
    client: Client, stranger: Client, shape: str
) -> None:
    theirs, nobodys = (shape.format(unique("")[:34]) for _ in range(2))
    mine = client.created(id=theirs)

    assert responses(stranger, theirs) == responses(stranger, nobodys)
    assert client.order(theirs) == mine, "its order is as it was"


def test_an_id_that_another_kitchen_has_is_cooked_all_the_same(client: Client, stranger: Client) -> None:
    first = stranger.created()
    second = client.created(id=first["id"])

    assert (first["kitchen"], second["kitchen"]) == ("harju", "main")
    assert client.move(second["id"], "READY").json()["id"] == second["id"]
    assert stranger.order(first["id"]) == first
    assert [client.order(first["id"])["status"], stranger.order(first["id"])["status"]] == [
        "READY",
        "RECEIVED",
    ]


def test_a_key_for_all_kitchens_tells_both_apart(client: Client, stranger: Client, anywhere: Client) -> None:
    order = client.created()
    stranger.created(id=order["id"], account=order["account"])

    ids = {row["id"]: row["kitchen"] for row in anywhere.stored(account=order["account"])}

    assert ids == {order["id"]: "main", marked_id(order["id"], "harju"): "harju"}
    for id, kitchen in ids.items():
        assert anywhere.order(id)["kitchen"] == kitchen
        problem = check_problem(
            anywhere.create(new_order(id=order["id"], kitchen="harju")), 409, "order_exists"
        )
        assert anywhere.get(problem["order"]).json()["id"] == order["id"]


def test_two_at_once_with_an_id_that_another_kitchen_has_make_one_order(
    client: Client, stranger: Client
) -> None:
    body = new_order(id=client.created()["id"])
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda _: stranger.create(body).status, range(6)))
    assert sorted(statuses) == [201, *[409] * 5]
    assert len(stranger.stored(account=body["account"])) == 1


def test_an_id_without_room_for_the_mark_is_accepted_once(stranger: Client, anywhere: Client) -> None:
    longest = 128 - len("\tharju")
    for length in (longest, 128):
        free = unique().ljust(length, "x")
        assert stranger.created(id=free)["id"] == free
        used_id = unique().ljust(length, "x")
        assert anywhere.created(id=used_id, kitchen="main")["kitchen"] == "main"
        assert stranger.create(new_order(id=used_id)).status == (201 if length == longest else 409)


CHANNELS = ["deliverect:60f8a2c8", "generic:1", "deliverect:", "deliverect:x:y"]


@pytest.mark.parametrize(("id", "name"), list(itertools.product(CHANNELS, ["id", "_id"])))
def test_ids_of_channels_are_not_for_keys(client: Client, anywhere: Client, id: str, name: str) -> None:
    body = new_order()
    del body["id"]
    for each in (client, anywhere):
        problem = check_problem(
            each.create({**body, name: id, "kitchen": "main"}), 400, "invalid_body", {f"/{name}"}
        )
        (error,) = problem["errors"]
        assert error["code"] == "reserved"
        assert id.replace(":", "-", 1) in error["detail"]
    assert client.stored(account=body["account"]) == []


@pytest.mark.parametrize("text", ["Deliverect:", "order:", "a-:", ":", "a b:", "a_b:", "é:", "xdeliverect:"])
def test_other_ids_with_colons_are_accepted(client: Client, text: str) -> None:
    order_id = f"{text}{unique()}"
    assert client.created(id=order_id)["id"] == order_id
