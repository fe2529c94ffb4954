"""The change feed as integrators read it: by polling alone they know each order's status."""

import base64
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from orders.statuses import PICKED_UP
from tests.api.client import Client, check_problem, new_items, order_path

MEMBERS = {
    "cursor",
    "orderId",
    "sequence",
    "plu",
    "from",
    "to",
    "kind",
    "change",
    "at",
    "recordedAt",
    "actor",
    "reason",
}


def read(client: Client, after: str | None, limit: int = 200) -> tuple[list[dict[str, Any]], str]:
    """The events from a cursor to the end as it is now, and the cursor to go on from."""
    events: list[dict[str, Any]] = []
    while True:
        query = f"?limit={limit}" + (f"&after={after}" if after else "")
        answer = client.get(f"/orders/events{query}")
        assert answer.status == 200, answer.body
        page = answer.json()
        assert len(page["results"]) <= limit
        events += page["results"]
        after = page["next"]
        assert isinstance(after, str)
        assert after
        if not page["hasMore"]:
            return events, after
        assert page["results"], "more is promised, so something must come"


def until_at_rest(
    client: Client, after: str, rows_by_order: dict[str, int]
) -> tuple[list[dict[str, Any]], str]:
    """Reads on until each wanted order has shown its number of rows: the feed waits for open transactions."""
    events: list[dict[str, Any]] = []
    deadline = time.monotonic() + 30
    while True:
        more, after = read(client, after)
        events += [event for event in more if event["orderId"] in rows_by_order]
        if len(events) >= sum(rows_by_order.values()):
            return events, after
        assert time.monotonic() < deadline, f"{len(events)} of {rows_by_order}"


def rows(order: dict[str, Any]) -> list[tuple[int, str | None, dict[str, Any]]]:
    """All history rows of an order as the API shows it: sequence, PLU (None for the order's own), entry."""
    entries = [(entry["sequence"], None, entry) for entry in order["statusHistory"]]
    entries += [
        (entry["sequence"], item["plu"], entry) for item in order["items"] for entry in item["statusHistory"]
    ]
    return sorted(entries, key=lambda row: row[0])


def check_events(events: list[dict[str, Any]], truth: dict[str, dict[str, Any]]) -> None:
    """By these events alone somebody knows each order as it is, and got each of its rows once, in turn."""
    status: dict[str, dict[str | None, str]] = defaultdict(dict)
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in events:
        status[event["orderId"]][event["plu"]] = event["to"]
        sequences[event["orderId"]].append(event["sequence"])
    for order_id, order in truth.items():
        items = {item["plu"]: item["status"] for item in order["items"]}
        assert status[order_id] == {None: order["status"], **items}
        assert sequences[order_id] == list(range(1, len(rows(order)) + 1))


def test_events_are_the_history_row_by_row(client: Client) -> None:
    _, start = read(client, None)
    order = client.created(
        items=new_items("A", "B/🍔"),
        statusHistory=[{"status": PICKED_UP, "timestamp": "2021-07-22T20:08:02Z"}],
    )
    client.move_item(order["id"], "B/🍔", "READY")
    client.call("PATCH", order_path(order["id"]), {"status": "READY", "reason": "hurry"})
    client.recall(order["id"])
    history = rows(client.order(order["id"]))
    events, _ = until_at_rest(client, start, {order["id"]: len(history)})
    assert all(event.keys() >= MEMBERS for event in events)
    assert [
        (event["sequence"], event["plu"], event["from"], event["to"], event["kind"], event["change"], event["at"],
         event["actor"], event["reason"])
        for event in events
    ] == [
        (sequence, plu, entry["from"], entry["status"], entry["kind"], entry["change"], entry["timestamp"],
         entry["actor"], entry["reason"])
        for sequence, plu, entry in history
    ]  # fmt: skip
    assert [sequence for sequence, _, _ in history] == list(range(1, len(history) + 1))


def test_each_event_is_a_place_to_go_on_from(client: Client) -> None:
    _, start = read(client, None)
    order = client.created(items=new_items("A", "B", "C"))
    client.move(order["id"], "PICKED_UP")
    events, _ = until_at_rest(client, start, {order["id"]: 8})
    one_by_one, _ = read(client, start, limit=1)
    assert [event for event in one_by_one if event["orderId"] == order["id"]] == events
    for index, event in enumerate(events):
        rest, _ = read(client, event["cursor"])
        assert [later for later in rest if later["orderId"] == order["id"]] == events[index + 1 :]
    assert len({event["cursor"] for event in events}) == len(events)


def test_an_empty_end_gives_its_own_cursor_back(client: Client) -> None:
    _, end = read(client, None)
    empty = client.get(f"/orders/events?after={end}").json()
    assert empty["results"] == []
    assert empty["hasMore"] is False
    order = client.created()
    events, _ = until_at_rest(client, empty["next"], {order["id"]: 3})
    assert [event["to"] for event in events] == ["RECEIVED", "ORDERED", "ORDERED"]


def test_a_client_that_polls_rebuilds_every_order(client: Client) -> None:
    """Four writers move, bump and recall while one client polls: it ends with what the orders say."""
    _, start = read(client, None)
    orders: list[str] = []
    lock = threading.Lock()

    def write(seed: int) -> None:
        for number in range(4):
            order = client.created(items=new_items("A", "B"))
            with lock:
                orders.append(order["id"])
            client.move_item(order["id"], "A", 2 + (seed + number) % 2)
            if number % 2:
                client.recall(order["id"])
            client.move(order["id"], 3 + (seed + number) % 3)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    events: list[dict[str, Any]] = []
    after = start
    while any(writer.is_alive() for writer in writers):
        more, after = read(client, after, limit=7)
        events += more
    for writer in writers:
        writer.join()
    truth = {order_id: client.order(order_id) for order_id in orders}
    expected_rows = sum(len(rows(order)) for order in truth.values())
    deadline = time.monotonic() + 30
    while sum(event["orderId"] in truth for event in events) < expected_rows:
        more, after = read(client, after)
        events += more
        assert time.monotonic() < deadline
    check_events(events, truth)


def test_history_times_never_go_back(client: Client) -> None:
    order = client.created()
    for status in ("PREPARING", "READY"):
        client.move(order["id"], status)
        client.recall(order["id"])
    times = [entry["timestamp"] for _, _, entry in rows(client.order(order["id"]))]
    assert all(sooner <= later for sooner, later in pairwise(times))


def test_a_foreign_cursor_is_named(client: Client) -> None:
    plain = base64.urlsafe_b64encode(b"1.1.order").decode().rstrip("=")  # as it was before it was encrypted
    _, end = read(client, None)
    for cursor in (plain, end[:-2], end + "AA", end.swapcase()):
        problem = check_problem(
            client.get(f"/orders/events?after={cursor}"), 400, "invalid_parameter", {"?after"}
        )
        assert "or none to begin at the first event" in problem["errors"][0]["detail"]
        check_problem(client.get(f"/orders?cursor={cursor}"), 400, "invalid_parameter", {"?cursor"})


def test_a_cursor_says_nothing_of_another_kitchen(
    client: Client, client_with: Callable[..., Client], other_kitchen: str
) -> None:
    stranger = client_with(["events:read"], kitchen=other_kitchen)
    _, before = read(client, None)
    order = client.created()
    until_at_rest(client, before, {order["id"]: 3})
    answer = stranger.get("/orders/events?limit=1")
    _, end = read(stranger, None)
    assert order["id"] not in answer.body.decode()
    for cursor in (answer.json()["next"], end):
        assert order["id"].encode() not in base64.urlsafe_b64decode(cursor + "==")
