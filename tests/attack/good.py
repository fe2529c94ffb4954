"""The clients that attacks must not disturb: a channel that posts orders, probes, and walls that get a hint of each order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from tests import planted
from tests.attack.wire import Answer, Wire, ask, head, request

ORDER_SECONDS = 10.0
# The short form comes again where it is asked to: it counts orders that were lost, not those that came late.
TRIES, SHORT_TRIES = 1, 3
PROBE_PAUSE = 0.25
# Long enough to see how long it takes; the short form only counts what isn't answered in a while.
PROBE_SECONDS, SHORT_PROBE_SECONDS = 20.0, 5.0
WALL_AGAIN_SECONDS = 0.2
# Of the orders; the others come on a connection of their own.
KEPT_CONNECTIONS = 0.5
IDLE_SECONDS = 3.0
CANCEL_SECONDS = 10.0
CLOCK_SECONDS = 0.02

now = time.monotonic


@dataclass(slots=True)
class Measured:
    """What happened to them during one attack. Times in seconds; those of orders from when they were due to be sent."""

    times: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    # First answers to orders that were not a 201, and orders that were not taken at all.
    failed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    probes: dict[str, list[float]] = field(default_factory=dict)
    # Probes that were not answered, or /livez with anything but 200.
    unanswered: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    silence: float = 0.0
    hints: list[float] = field(default_factory=list)
    streams: int = 0
    own_delay: float = 0.0

    def worst(self, probe: str) -> float:
        return max(self.probes.get(probe, [0.0]))


def percentile(times: Sequence[float], share: float) -> float:
    """The smallest that at least this share of them does not exceed; 0 where there are none."""
    return sorted(times)[max(math.ceil(share * len(times)) - 1, 0)] if times else 0.0


class Channel:
    """Posts orders at a steady pace, however long the answers take: an order that waits makes no other one wait.

    `tries`: how often an order is sent that gets a 503, a 429 or no answer.
    """

    def __init__(self, port: int, key: str, rate: float, tries: int) -> None:
        self._port, self._pause, self._tries = port, 1 / rate, tries
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._idle: list[tuple[float, Wire]] = []
        self._count, self._run = 0, secrets.token_hex(4)
        self.sent: list[tuple[float, float]] = []  # of those that were taken: when sent, when acknowledged

    async def run(self, measured: Measured, stop: asyncio.Event) -> None:
        due = now()
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                self._count += 1
                tasks.create_task(self._order(measured, f"attack-{self._run}-{self._count}", due))
                due += self._pause
                await asyncio.sleep(max(due - now(), 0))

    async def cancel(self, orders: Sequence[str]) -> None:
        """So that the walls of the next attack begin empty; what can't be cancelled in a while is left there."""
        waiting = iter(orders)

        async def cancel_some() -> None:
            wire = await Wire.open(self._port)
            try:
                for order in waiting:
                    path = f"/api/orders/{order}"
                    await wire.send(request("PATCH", path, self._headers, b'{"status": "CANCELLED"}'))
                    await wire.answer()
            finally:
                wire.close()

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await asyncio.gather(*(cancel_some() for _ in range(4)), return_exceptions=True)

    def close(self) -> None:
        for _, wire in self._idle:
            wire.close()
        self._idle.clear()

    def _kept(self) -> Wire | None:
        """The connection that was used last, unless it has been idle for long: the server may be closing it."""
        if self._idle and now() - self._idle[-1][0] < IDLE_SECONDS:
            return self._idle.pop()[1]
        self.close()
        return None

    async def _order(self, measured: Measured, order: str, due: float) -> None:
        """Sent again where the answer says so, or where there is none: its id makes that safe."""
        reuse = self._count % 100 < 100 * KEPT_CONNECTIONS
        for turn in range(self._tries):
            answer = await self._post(order, reuse and turn == 0)
            label = "no answer" if answer is None else str(answer.status)
            if label == "201" or (label == "409" and turn > 0):
                measured.accepted.append(order)
                self.sent.append((due, now()))
                break
            if turn == 0:
                measured.failed[label] += 1
            if answer is not None and answer.status not in (429, 503):
                measured.lost += 1
                break
            again = "1" if answer is None else answer.headers.get("retry-after", "1")
            await asyncio.sleep(min(float(again), 3) if turn + 1 < self._tries else 0)
        else:
            measured.lost += 1
        measured.times.append(now() - due)

    async def _post(self, order: str, reuse: bool) -> Answer | None:
        wire: Wire | None = None
        body = json.dumps(new_order(order)).encode()
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                wire = (self._kept() if reuse else None) or await Wire.open(self._port)
                await wire.send(request("POST", "/api/orders", self._headers, body))
                answer = await wire.answer()
        except (OSError, TimeoutError):
            answer = None
        if wire is not None:
            if reuse and answer is not None and answer.headers.get("connection") != "close":
                self._idle.append((now(), wire))
            else:
                wire.close()
        return answer


def new_order(order: str) -> dict[str, object]:
    return {
        "id": order,
        "account": "attack",
        "brandId": "brand-1",
        "channelOrderId": order,
        "customer": {"name": planted.NAME, "phoneNumber": planted.PHONE},
        "pickupTime": (datetime.now(UTC) + timedelta(minutes=20)).isoformat(timespec="seconds"),
        "items": [
            {"plu": "BURGER-1", "name": "Hawaii Burger", "quantity": 1},
            {"plu": "SUSHI-1", "name": "Sushi Set Large", "quantity": 2},
        ],
    }


class Probe:
    """Asks one of the addresses for machines, again and again, on a new connection each time; gives up after `seconds`."""

    def __init__(self, name: str, port: int, path: str, seconds: float) -> None:
        self.name, self._port, self._path, self._seconds = name, port, path, seconds

    async def run(self, measured: Measured, stop: asyncio.Event) -> None:
        times = measured.probes.setdefault(self.name, [])
        statuses = measured.statuses.setdefault(self.name, Counter())
        while not stop.is_set():
            began = now()
            try:
                async with asyncio.timeout(self._seconds):
                    status = (await ask(self._port, "GET", self._path)).status
                statuses[str(status)] += 1
                if status != 200 and self._path == "/livez":
                    measured.unanswered[self.name] += 1
            except (OSError, TimeoutError):
                measured.unanswered[self.name] += 1
            times.append(now() - began)
            await asyncio.sleep(max(began + PROBE_PAUSE - now(), 0))


class Wall:
    """A paired screen that holds its stream. `stream` is its address, as a board names it."""

    def __init__(self, stream: str) -> None:
        self._address = urlsplit(stream)
        self.events: list[tuple[float, str]] = []

    async def listen(self) -> None:
        """Until it is cancelled; a stream that ends is opened again, as the page does."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                await self._stream()
            await asyncio.sleep(WALL_AGAIN_SECONDS)

    async def _stream(self) -> None:
        wire = await Wire.open(self._address.port or 80)
        try:
            await wire.send(head("GET", f"{self._address.path}?{self._address.query}"))
            while line := await wire.reader.readline():
                if line.startswith(b"event: "):
                    self.events.append((now(), line[7:].decode().strip()))
        finally:
            wire.close()

    def read(self, measured: Measured, sent: Sequence[tuple[float, float]], began: float, end: float) -> None:
        """Adds to `measured` what it heard from `began` to `end` of orders that were `sent`, and its longest silence."""
        events = [at for at, _ in self.events if began <= at <= end]
        marks = [began, *events, end]
        measured.silence = max(measured.silence, *(after - before for before, after in pairwise(marks)))
        hints = [at for at, event in self.events if event == "hint"]
        for sent_at, acknowledged in sent:
            first = next((at for at in hints if at >= sent_at), math.inf)
            measured.hints.append(max(min(first, end) - acknowledged, 0.0))
        measured.streams += sum(event == "hello" for at, event in self.events if began <= at <= end)


async def own_delay(measured: Measured, stop: asyncio.Event) -> None:
    """How late this process itself comes to its turn: what is measured here is no finer than that."""
    while not stop.is_set():
        due = now() + CLOCK_SECONDS
        await asyncio.sleep(CLOCK_SECONDS)
        measured.own_delay = max(measured.own_delay, now() - due)
