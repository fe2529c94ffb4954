"""Plays the plan of a rush against a running installation, in real time or faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from huuva.ops.simulation.client import Client, GaveUp, Stopped
from huuva.ops.simulation.progress import Tally
from huuva.ops.simulation.rush import Planned, Step, end_of

THREADS: Final = 8
LOOK_SECONDS: Final = 0.25


class Player:
    """`speed` 60 plays a simulated hour in a minute. `stop` may be set at any time, from any thread.

    One thread makes all calls of an order, so that they stay in sequence. Pickup times shrink with the speed: an order
    that is late in the plan is late on the wall.
    """

    def __init__(
        self, plan: Sequence[Planned], url: str, key: str, *, speed: float, run: str, kitchen: str | None
    ) -> None:
        self._plan, self._url, self._key = plan, url, key
        self._speed, self._run, self._kitchen = speed, run, kitchen
        self.tally = Tally()
        self.stop = threading.Event()
        self.end = end_of(plan)
        self._start = time.monotonic()
        self._started_at = datetime.now(UTC)

    def play(self, show: Callable[[float], None]) -> None:
        """Returns when all calls were made or `stop` is set. Calls `show` with the simulated second, now and then."""
        self._start, self._started_at = time.monotonic(), datetime.now(UTC)
        threads = [
            threading.Thread(target=self._work, args=(self._plan[number::THREADS],))
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            show(min(self._second(), self.end))
            threads = [thread for thread in threads if thread.is_alive()]
            if threads:
                threads[0].join(LOOK_SECONDS)

    def _second(self) -> float:
        return (time.monotonic() - self._start) * self._speed

    def _work(self, orders: Sequence[Planned]) -> None:
        client = Client(self._url, self._key, self.stop)
        try:
            for at, order, number in _calls(orders):
                if self.stop.wait(max(0.0, (at - self._second()) / self._speed)):
                    return
                self.tally.late((self._second() - at) / self._speed)
                self._call(client, order, number)
        except Stopped:
            self.tally.stopped()
        except GaveUp as error:
            # Nothing answers, so further calls would fail too.
            self.tally.failed(str(error))
            self.stop.set()
        finally:
            self.tally.retried(client.retries)
            client.close()

    def _call(self, client: Client, order: Planned, number: int) -> None:
        """`number` 0 creates the order, further ones are its steps."""
        order_id = f"{self._run}-{order.number:05}"
        key = f"{order_id}-{number}"
        if number == 0:
            answer = client.call("POST", "/api/orders", self._body(order, order_id), key)
        else:
            answer = client.call(*_request(order_id, order.steps[number - 1]), key)
        if answer.status < 300 and number == 0:
            self.tally.ordered(order_id)
        elif answer.status < 300:
            self.tally.moved()
        elif answer.status < 500:
            self.tally.refused(answer.code or str(answer.status))
        else:
            self.tally.failed(f"{order_id}: {answer.status} {answer.detail}")

    def _body(self, order: Planned, order_id: str) -> dict[str, Any]:
        due = self._started_at + timedelta(seconds=order.due / self._speed)
        body = {"id": order_id, "pickupTime": due.isoformat(timespec="seconds"), **order.body}
        if self._kitchen is not None:
            body["kitchen"] = self._kitchen
        return body


def _calls(orders: Sequence[Planned]) -> Iterator[tuple[float, Planned, int]]:
    calls = [(order.at, order, 0) for order in orders]
    calls += [(step.at, order, number) for order in orders for number, step in enumerate(order.steps, 1)]
    yield from sorted(calls, key=lambda call: call[0])


def _request(order_id: str, step: Step) -> tuple[str, str, dict[str, Any]]:
    path = f"/api/orders/{quote(order_id, safe='')}"
    body: dict[str, Any] = {"reason": step.reason} if step.reason else {}
    if step.status is None:
        return "POST", f"{path}/recall", {**body, "plu": step.plu} if step.plu else body
    if step.plu is not None:
        path += f"/items/{quote(step.plu, safe='')}"
    return "PATCH", path, {**body, "status": step.status}
