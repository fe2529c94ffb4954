"""Webhooks while everything around them dies: nothing is lost, each order's events come in their order.

`LONG=1 pytest tests/faults/test_deliveries.py -s` does 2,000 changes with the pauses of production, about 3 minutes; without it
there are fewer changes and short pauses. Both print their figures.
"""

import json
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from standardwebhooks.webhooks import Webhook

from huuva.ops.processes import commands
from tests.api.client import Client, new_items
from tests.api.test_events import rows
from tests.background import Service, wait_until
from tests.live_stack import LiveStack
from tests.receiver import ReceivedRequest, Receiver

LONG = os.environ.get("LONG") == "1"
CHANGES_OF_AN_ORDER = 5
ORDERS = 400 if LONG else 60
KILLS = 10 if LONG else 2
PAUSE = (0.0, 3.0) if LONG else (0.0, 0.8)
# Far more than it takes: a machine may be busy.
DRAINED_SECONDS = 600 if LONG else 240
EVENTS = ["order.created", "order.status_changed", "order.recalled", "order.late", "item.status_changed"]


class KilledService(Service):
    """Worker or beat as in production, but for its pauses; it is killed and started again."""

    def __init__(self, stack: LiveStack, name: str) -> None:
        command = commands(stack.home, "127.0.0.1", stack.port, 2)[name]
        if not LONG:
            command = ["tests.faults.fast_celery" if word == "huuva" else word for word in command]
        super().__init__(name, command, {**stack.environment, "HUUVA_LOG_LEVEL": "WARNING"}, stack.log)
        self.kills = 0
        self.start()

    def kill_and_start(self) -> None:
        self.kill()
        self.kills += 1
        self.start()


class Trouble:
    """Kills a service or restarts the receiver, again and again, each time when a request has come since the last
    time: a worker that is killed before it has begun proves nothing."""

    def __init__(self, services: list[KilledService], receiver: Receiver, restarting: Receiver) -> None:
        self.worker = services[0]
        self._services, self._receiver, self._restarting = services, receiver, restarting
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        draw = random.Random(5)
        while not self._over.is_set():
            before = len(self._receiver.requests)
            while len(self._receiver.requests) == before:
                if self._over.wait(0.02):
                    return
            self._over.wait(draw.uniform(*PAUSE))
            victim = draw.choice([self.worker, *self._services, self._restarting])
            if isinstance(victim, KilledService):
                victim.kill_and_start()
            else:
                victim.stop()
                self._over.wait(0.5)
                victim.start()


def until(done: Callable[[], Any], what: str) -> None:
    wait_until(done, DRAINED_SECONDS, what)


def live_an_order(client: Client, number: int) -> str:
    """Five changes: it comes, an item moves, the order moves, that is recalled, it is picked up."""
    order = client.created(
        channelOrderId=f"F{number}", pickupTime="2099-01-01T12:00:00Z", items=new_items("A", "B")
    )
    moves = (
        client.move_item(order["id"], "A", "PREPARING"),
        client.move(order["id"], "READY"),
        client.recall(order["id"]),
        client.move(order["id"], "PICKED_UP"),
    )
    assert [move.status for move in moves] == [200] * 4, [move.body for move in moves]
    return str(order["id"])


def expected(client: Client, order_id: str) -> list[int]:
    """The sequences of an order's events, from its histories."""
    return [1, *(sequence for sequence, _, entry in rows(client.order(order_id)) if entry["change"] > 1)]


def answer(path: str, number: int, body: bytes) -> str:
    draw = random.Random(number)
    if path == "/gone":
        return "gone"
    if path == "/hangs":
        return "hang" if number in (3, 50, 400) else "ok"
    if path == "/troubled":
        return (
            draw.choice(("fail", "drop", "moved", "garbage"))
            if draw.random() < (0.03 if LONG else 0.1)
            else "ok"
        )
    return "ok"


def check(requests: list[ReceivedRequest], secret: str, expected_sequences: dict[str, list[int]]) -> int:
    """Every event of every order, in its order, rightly signed; returns how many came twice."""
    first: defaultdict[str, list[int]] = defaultdict(list)
    webhook, repeats = Webhook(secret), 0
    for one in requests:
        # The library wants messages that are at most five minutes old; these may have come before.
        body = json.loads(one.body)
        expected_signature = one.headers["webhook-signature"].split(" ")[0]
        assert _sign(webhook, one) == expected_signature
        assert one.headers["webhook-id"] == body["id"]
        if one.answered != "ok" or body["data"].get("orderId") not in expected_sequences:
            continue
        seen = first[body["data"]["orderId"]]
        if body["sequence"] in seen:
            repeats += 1
        else:
            seen.append(body["sequence"])
    lost = {order: set(sequences) - set(first[order]) for order, sequences in expected_sequences.items()}
    assert not any(lost.values()), {order: missed for order, missed in lost.items() if missed}
    for order, sequences in expected_sequences.items():
        assert first[order] == sequences
    return repeats


def _sign(webhook: Webhook, one: ReceivedRequest) -> str:
    at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
    return str(webhook.sign(one.headers["webhook-id"], at, one.body.decode()))


def backlog(stack: LiveStack) -> float:
    """What the metrics say: deliveries that wait, and seconds of changes that are not even deliveries yet."""
    return stack.metric('huuva_deliveries_waiting{kind="webhook"}') + stack.metric(
        "huuva_deliveries_unread_seconds"
    )


# Receivers that earlier tests of this stack have left behind answer no more, and the metrics count what waits for them.
FORGET_OTHERS = """
from integrations.deliveries import health
from integrations.models import Sink
for pk in Sink.objects.values_list("pk", flat=True):
    health.disable(pk, Sink.Disabled.GONE)
"""


def test_nothing_is_lost_and_nothing_overtakes_while_everything_dies(live_stack: LiveStack) -> None:
    live_stack.manage("shell", "--no-imports", "--command", FORGET_OTHERS)
    key = live_stack.issue_key(
        ["orders:read", "orders:write", "orders:recall", "webhooks:manage"],
        kitchen="faults",
        rate_limit=0,
        name="faults",
    )
    client = Client(live_stack.base_url, key)
    with Receiver(answer) as receiver, Receiver() as restarting:
        hooks = {}
        for path, at in [
            ("/good", receiver),
            ("/troubled", receiver),
            ("/hangs", receiver),
            ("/gone", receiver),
            ("/restarts", restarting),
        ]:
            hook = client.call("POST", "/webhooks", {"name": path, "url": at.url(path), "events": EVENTS})
            assert hook.status == 201, hook.body
            hooks[path] = hook.json()
        services = [KilledService(live_stack, "worker"), KilledService(live_stack, "beat")]
        try:
            # A worker that has not begun yet could be killed in vain.
            assert client.call("POST", f"/webhooks/{hooks['/good']['id']}/test", {}).status == 202
            until(lambda: receiver.requests, "the first message")
            began = time.monotonic()
            with Trouble(services, receiver, restarting) as trouble:
                with ThreadPoolExecutor(4) as pool:
                    orders = list(pool.map(partial(live_an_order, client), range(ORDERS)))
                changed = time.monotonic() - began
                until(lambda: trouble.worker.kills >= KILLS or backlog(live_stack) == 0, "enough deaths")
            until(lambda: backlog(live_stack) == 0, "an empty backlog")
            drained = time.monotonic() - began - changed
        finally:
            for service in services:
                service.kill()
    assert services[0].kills > 0
    sequences = {order: expected(client, order) for order in orders}
    events = sum(map(len, sequences.values()))
    for path, hook in hooks.items():
        requests = [one for one in (*receiver.requests, *restarting.requests) if one.path == path]
        if path == "/gone":
            assert 1 <= len(requests) <= 8
            assert client.get(f"/webhooks/{hook['id']}").json()["disabledReason"] == "gone"
            continue
        repeats = check(requests, hook["secret"], sequences)
        print(f"{path}: {events} events, {len(requests)} requests, {repeats} came twice")
    print(
        f"{len(orders) * CHANGES_OF_AN_ORDER} changes in {changed:.0f} s, worker killed {services[0].kills} times, "
        f"beat {services[1].kills} times; nothing waited {drained:.0f} s later"
    )
