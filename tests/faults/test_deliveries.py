"""Webhooks while everything around them dies: nothing is lost, each order's events come in their order.

`LONG=1 pytest tests/faults/test_deliveries.py -s` does 2,000 changes with the pauses of production, about 3 minutes; without it
there are fewer changes and short pauses. Both print their figures.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from standardwebhooks.webhooks import Webhook

from bench.receiver import Heard, Receiver
from huuva.parts import commands
from tests.live_stack import ROOT, LiveStack

LONG = os.environ.get("LONG") == "1"
CHANGES_OF_AN_ORDER = 5
ORDERS = 400 if LONG else 60
KILLS = 10 if LONG else 2
PAUSE = (0.0, 3.0) if LONG else (0.0, 0.8)
# Far more than it takes: a machine may be busy.
DRAINED_SECONDS = 600 if LONG else 240
EVENTS = ["order.created", "order.status_changed", "order.recalled", "order.late", "item.status_changed"]


class Part:
    """Worker or beat as in production, in a process group of its own."""

    def __init__(self, stack: LiveStack, name: str) -> None:
        command = commands(stack.home, "127.0.0.1", stack.port, 2)[name]
        if not LONG:
            command = ["tests.faults.fast_celery" if word == "huuva" else word for word in command]
        self._start: Callable[[], subprocess.Popen[bytes]] = lambda: subprocess.Popen(
            command,
            cwd=ROOT,
            env={**stack.environment, "HUUVA_LOG_LEVEL": "WARNING"},
            stdin=subprocess.DEVNULL,
            stdout=stack.log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.process = self._start()
        self.kills = 0

    def kill(self) -> None:
        self.end()
        self.kills += 1
        self.process = self._start()

    def end(self) -> None:
        # The group is the worker with its children.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Trouble:
    """Kills a part or restarts the receiver, again and again, each time when something was heard since the last
    time: a worker that is killed before it has begun proves nothing."""

    def __init__(self, parts: list[Part], receiver: Receiver, restarting: Receiver) -> None:
        self.worker = parts[0]
        self._parts, self._receiver, self._restarting = parts, receiver, restarting
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
            before = len(self._receiver.heard)
            while len(self._receiver.heard) == before:
                if self._over.wait(0.02):
                    return
            self._over.wait(draw.uniform(*PAUSE))
            victim = draw.choice([self.worker, *self._parts, self._restarting])
            if isinstance(victim, Part):
                victim.kill()
            else:
                victim.stop()
                self._over.wait(0.5)
                victim.start()


def until(done: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + DRAINED_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)


class Api:
    """Calls of one key, each on a connection of its own."""

    def __init__(self, stack: LiveStack, key: str) -> None:
        self._port = stack.port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request(method, f"/api{path}", json.dumps(body) if body else None, self._headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert answer.status == expect, data
        return json.loads(data)


def live_an_order(api: Api, number: int) -> str:
    """Five changes: it comes, an item moves, the order moves, that is recalled, it is made ready."""
    order = api(
        "POST",
        "/orders",
        {
            "account": "a",
            "brandId": "b",
            "channelOrderId": f"F{number}",
            "customer": {"name": "Ada", "phoneNumber": ""},
            "pickupTime": "2099-01-01T12:00:00Z",
            "kitchen": "faults",
            "items": [{"plu": plu, "name": plu, "quantity": 1} for plu in ("A", "B")],
        },
        expect=201,
    )
    path = f"/orders/{order['id']}"
    api("PATCH", f"{path}/items/A", {"status": "PREPARING"})
    api("PATCH", path, {"status": "READY"})
    api("POST", f"{path}/recall", {})
    api("PATCH", path, {"status": "PICKED_UP"})
    return str(order["id"])


def expected(api: Api, order_id: str) -> list[int]:
    """The sequences of an order's events, from its histories."""
    order = api("GET", f"/orders/{order_id}")
    rows = [
        entry for log in (order, *order["items"]) for entry in log["statusHistory"] if entry["change"] > 1
    ]
    return [1, *sorted(row["sequence"] for row in rows)]


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


def check(heard: list[Heard], secret: str, wanted: dict[str, list[int]]) -> int:
    """Every event of every order, in its order, rightly signed; returns how many came twice."""
    first: defaultdict[str, list[int]] = defaultdict(list)
    webhook, repeats = Webhook(secret), 0
    for one in heard:
        # The library wants messages that are at most five minutes old; these may have come before.
        body = json.loads(one.body)
        expected_signature = one.headers["webhook-signature"].split(" ")[0]
        assert _sign(webhook, one) == expected_signature
        assert one.headers["webhook-id"] == body["id"]
        if one.answered != "ok" or body["data"].get("orderId") not in wanted:
            continue
        seen = first[body["data"]["orderId"]]
        if body["sequence"] in seen:
            repeats += 1
        else:
            seen.append(body["sequence"])
    lost = {order: set(rows) - set(first[order]) for order, rows in wanted.items()}
    assert not any(lost.values()), {order: rows for order, rows in lost.items() if rows}
    for order, rows in wanted.items():
        assert first[order] == rows
    return repeats


def _sign(webhook: Webhook, one: Heard) -> str:
    at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
    return str(webhook.sign(one.headers["webhook-id"], at, one.body.decode()))


def backlog(stack: LiveStack) -> float:
    """What the metrics say: deliveries that wait, and seconds of changes that are not even deliveries yet."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    connection.request("GET", "/metrics")
    found = dict(
        line.rsplit(" ", 1)
        for line in connection.getresponse().read().decode().splitlines()
        if not line.startswith("#")
    )
    return float(found['huuva_deliveries_waiting{kind="webhook"}']) + float(
        found["huuva_deliveries_unread_seconds"]
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
    api = Api(live_stack, key)
    with Receiver(answer) as receiver, Receiver() as restarting:
        hooks = {}
        for path, at in [
            ("/good", receiver),
            ("/troubled", receiver),
            ("/hangs", receiver),
            ("/gone", receiver),
            ("/restarts", restarting),
        ]:
            hook = api("POST", "/webhooks", {"name": path, "url": at.url(path), "events": EVENTS}, expect=201)
            hooks[path] = hook
        parts = [Part(live_stack, "worker"), Part(live_stack, "beat")]
        try:
            # A worker that has not begun yet could be killed in vain.
            api("POST", f"/webhooks/{hooks['/good']['id']}/test", {}, expect=202)
            until(lambda: receiver.heard, "the first message")
            began = time.monotonic()
            with Trouble(parts, receiver, restarting) as trouble:
                with ThreadPoolExecutor(4) as pool:
                    orders = list(pool.map(partial(live_an_order, api), range(ORDERS)))
                changed = time.monotonic() - began
                until(lambda: trouble.worker.kills >= KILLS or backlog(live_stack) == 0, "enough deaths")
            until(lambda: backlog(live_stack) == 0, "an empty backlog")
            drained = time.monotonic() - began - changed
        finally:
            for part in parts:
                part.end()
    assert parts[0].kills > 0
    wanted = {order: expected(api, order) for order in orders}
    events = sum(len(rows) for rows in wanted.values())
    for path, hook in hooks.items():
        heard = [one for one in (*receiver.heard, *restarting.heard) if one.path == path]
        if path == "/gone":
            assert 1 <= len(heard) <= 8
            assert api("GET", f"/webhooks/{hook['id']}")["disabledReason"] == "gone"
            continue
        repeats = check(heard, hook["secret"], wanted)
        print(f"{path}: {events} events, {len(heard)} requests, {repeats} came twice")
    print(
        f"{len(orders) * CHANGES_OF_AN_ORDER} changes in {changed:.0f} s, worker killed {parts[0].kills} times, "
        f"beat {parts[1].kills} times; nothing waited {drained:.0f} s later"
    )
