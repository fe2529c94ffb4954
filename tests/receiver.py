"""A receiver of webhooks for benchmarks and tests: answers as the test wants, and keeps the requests it got."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

ANSWERS = {
    "ok": b"HTTP/1.1 204 No Content\r\n\r\n",
    "fail": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nbroken",
    "gone": b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    "moved": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"I am no web server\r\n\r\n",
}
# Beside these: `hang` never answers, `drop` closes the connection.


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that came in whole. `at`: seconds by the monotonic clock; `answered`: with what."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    answered: str


class Receiver:
    """Listens on 127.0.0.1 in a thread of its own, from `with` to its end; `stop` and `start` restart it.

    `answer` says for a path, its number of requests until now and the body what to do: a word of ANSWERS, hang or drop.
    """

    def __init__(self, answer: Callable[[str, int, bytes], str] | None = None) -> None:
        self.answer = answer or (lambda path, number, body: "ok")
        self.requests: list[ReceivedRequest] = []
        self.port = 0
        self._counts: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._open: set[asyncio.Transport] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, path: str = "/hooks") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """On the port of before, where it was started before."""
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop, ready), daemon=True)
        self._thread.start()
        if not ready.wait(5):
            raise RuntimeError("The receiver did not start.")

    def stop(self) -> None:
        """Ends at once: open connections break."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        server = loop.run_until_complete(
            loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port, backlog=4096)
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            for transport in list(self._open):
                transport.abort()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _note(self, path: str, headers: dict[str, str], body: bytes) -> str:
        number = self._counts[path] = self._counts.get(path, 0) + 1
        word = self.answer(path, number, body)
        self.requests.append(ReceivedRequest(path, headers, body, time.monotonic(), word))
        return word


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver._open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._receiver._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, separator, rest = self._data.partition(b"\r\n\r\n")
            if not separator:
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in lines)
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self._data = rest[length:]
            word = self._receiver._note(first.split(" ")[1], headers, rest[:length])
            if word == "drop":
                self._transport.abort()
            elif word != "hang":
                self._transport.write(ANSWERS[word])
