"""An integrator that only polls the event list, while web is killed: it ends with the truth, without gaps or doubles."""

import http.client
import threading
import time
from typing import Any

from tests.api.client import Client, new_items, new_order, order_path
from tests.api.test_events import check_events, rows
from tests.background import kill_group
from tests.live_stack import LiveStack

GONE = (OSError, http.client.HTTPException)
SECONDS = 60


def patiently(call: Any) -> Any:
    """What `call` gives, tried until web is there: as a client does that repeats what got no answer."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return call()
        except GONE:
            assert time.monotonic() < end
            time.sleep(0.05)


def kill(stack: LiveStack) -> None:
    """SIGKILL for web and its workers, in the middle of whatever they do."""
    assert stack.web is not None
    kill_group(stack.web)
    stack.start_web()


def test_who_only_polls_knows_every_status_though_web_is_killed(
    client: Client, live_stack: LiveStack
) -> None:
    start = patiently(lambda: client.get("/orders/events?limit=200")).json()
    while start["hasMore"]:
        start = client.get(f"/orders/events?limit=200&after={start['next']}").json()
    ids: list[str] = []

    def write(seed: int) -> None:
        for number in range(6):
            body = new_order(items=new_items("A", "B"))
            # The same id again is a 409: it had been stored before the answer was lost.
            assert patiently(lambda body=body: client.create(body)).status in (201, 409)
            ids.append(body["id"])
            for status in ("PREPARING", "READY", "PICKED_UP")[: (seed + number) % 4]:
                assert patiently(lambda b=body, s=status: client.move(b["id"], s)).status == 200

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for writer in writers:
        writer.start()
    cursor, events = start["next"], []

    def poll() -> bool:
        nonlocal cursor
        page = patiently(lambda: client.get(f"/orders/events?limit=50&after={cursor}")).json()
        events.extend(page["results"])
        cursor = page["next"]
        return bool(page["hasMore"])

    for _ in range(2):
        while len(events) < 10:
            poll()
        kill(live_stack)
    while any(writer.is_alive() for writer in writers):
        poll()
    for writer in writers:
        writer.join()

    truth = {order_id: client.get(order_path(order_id)).json() for order_id in ids}
    expected_rows = sum(len(rows(order)) for order in truth.values())
    end = time.monotonic() + SECONDS
    while sum(event["orderId"] in truth for event in events) < expected_rows:
        poll()
        assert time.monotonic() < end

    # Two changes of an order may come the other way round: their rows are numbered.
    check_events(sorted(events, key=lambda event: event["sequence"]), truth)
