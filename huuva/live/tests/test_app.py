"""The application alone, with clients that behave as no test over HTTP can make them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.stream_channels import Hint
from core.stream_tokens import STREAMS_PATH, Grant, make_token
from huuva.live import streams as streams_module
from huuva.live.app import LiveApp
from huuva.live.environment import Environment
from huuva.live.streams import MOST_FOR_ONE_SCREEN, Stream, Streams

SECRET = "s" * 50
GRANT = Grant("main", "1", int(time.time()) + 24 * 3600)  # the run may take a while to come here


class Client:
    """An ASGI client. With `takes` it takes that many body messages and then no more, but stays."""

    def __init__(self, app: LiveApp, screen: str = "1", takes: int | None = None) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.arrived = asyncio.Event()
        self._takes = takes
        self._gone = asyncio.Event()
        query = f"token={make_token(SECRET, 'main', screen)}".encode()
        scope = {"type": "http", "method": "GET", "path": STREAMS_PATH, "query_string": query, "headers": []}
        self.task = asyncio.create_task(app(scope, self._receive, self._send))  # type: ignore[arg-type]

    def leave(self) -> None:
        self._gone.set()

    async def has(self, text: bytes) -> None:
        while text not in self.body:
            self.arrived.clear()
            await asyncio.wait_for(self.arrived.wait(), 5)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        if self._takes == 0:
            await asyncio.Event().wait()  # the kernel's buffers are full
        if self._takes is not None:
            self._takes -= 1
        self.body += message["body"]
        self.arrived.set()


def run(scenario: Callable[[LiveApp], Awaitable[None]], most_streams: int = 100) -> None:
    async def inside() -> None:
        # Only its streams are under test: no lifespan, so no Valkey and no tick of its own.
        await scenario(
            LiveApp(Environment(SECRET, "redis://127.0.0.1:1/0", frozenset(), 8000, "INFO", most_streams))
        )

    asyncio.run(inside())


def test_a_full_process_says_when_to_retry() -> None:
    async def scenario(app: LiveApp) -> None:
        first, second = Client(app, "1"), Client(app, "2")
        await first.has(b"hello")
        await second.task
        assert (second.status, second.headers[b"retry-after"]) == (503, b"5")
        assert b"too_many_streams" in second.body

        first.leave()
        await first.task
        third = Client(app, "3")
        await third.has(b"hello")
        third.task.cancel()

    run(scenario, most_streams=1)


def test_a_client_that_does_not_read_is_dropped_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough for who reads on a busy machine.
    monkeypatch.setattr(streams_module, "STALLED_SECONDS", 1.0)

    async def scenario(app: LiveApp) -> None:
        deaf, good = Client(app, "1", takes=1), Client(app, "2")
        await deaf.has(b"hello")
        await good.has(b"hello")
        app.streams.tick()
        app.streams.hint(Hint("main", "orders"))
        await good.has(b"hint")
        for _ in range(1000):
            app.streams.hint(Hint("main", "orders"))  # waits, once
        while not deaf.task.done():
            app.streams.tick()
            await asyncio.sleep(0.01)

        assert len(app.streams) == 1
        assert app.streams.counts["dropped"] == 1
        assert not deaf.task.cancelled()  # an ordinary end for the server
        good.leave()
        await good.task
        assert len(app.streams) == 0

    run(scenario)


def test_only_the_newest_streams_of_a_screen_stay() -> None:
    async def scenario(app: LiveApp) -> None:
        clients = [Client(app, "1") for _ in range(MOST_FOR_ONE_SCREEN)]
        for client in clients:
            await client.has(b"hello")
        newest = Client(app, "1")
        await newest.has(b"hello")
        await clients[0].task

        assert len(app.streams) == MOST_FOR_ONE_SCREEN
        assert not any(client.task.done() for client in [*clients[1:], newest])
        app.streams.close()
        await asyncio.gather(*(client.task for client in [*clients[1:], newest]))
        assert len(app.streams) == 0

    run(scenario)


def test_of_each_kind_of_event_one_waits() -> None:
    async def scenario() -> bytes | None:
        streams = Streams(10)
        stream = streams.open(GRANT, lambda: None)
        await stream.take()
        for _ in range(50):
            streams.hint(Hint("main", "orders"))
            streams.hint(Hint("main", "screens"))
            streams.tick()
        return await stream.take()

    chunk = asyncio.run(scenario())

    assert chunk is not None
    assert chunk.count(b"event: ") == 3


def test_a_closed_stream_still_sends_waiting_events() -> None:
    async def scenario() -> tuple[bytes | None, bytes | None]:
        stream = Stream(GRANT, lambda: None)
        stream.offer("hint", b"hint")
        stream.close()
        return await stream.take(), await stream.take()

    assert asyncio.run(scenario()) == (b"hint", None)


def test_removing_twice_changes_nothing() -> None:
    async def scenario() -> int:
        streams = Streams(10)
        stream, other = streams.open(GRANT, lambda: None), streams.open(GRANT, lambda: None)
        streams.remove(stream)
        streams.remove(stream)
        assert list(streams) == [other]
        return len(streams)

    assert asyncio.run(scenario()) == 1
