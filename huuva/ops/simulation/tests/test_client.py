"""The client against a server that misbehaves as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from huuva.ops.simulation.client import Client, GaveUp, Stopped
from tests.ports import free_port


class Server(ThreadingHTTPServer):
    """Answers each call with the next of `answers` (status, headers), the last one for ever; 0 hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.seen: list[dict[str, Any]] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({"key": self.headers["Idempotency-Key"], "body": body, "path": self.path})
        answers = self.server.answers
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            self.close_connection = True
            return
        data = json.dumps({"code": "told", "detail": "As told."}).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: Any) -> None:
        """Not on the terminal of the tests."""


class Clock(threading.Event):
    """Notes the waits instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("status", [503, 429])
def test_it_waits_as_told_and_sends_the_same_again(server: Server, status: int) -> None:
    server.answers = [(status, {"Retry-After": "7"}), (status, {"Retry-After": "3"}), (201, {})]
    clock = Clock()
    client = Client(server.url, "key", clock)
    assert client.call("POST", "/api/orders", {"id": "a"}, "a-0").status == 201
    assert clock.waits == [7, 3]
    assert server.seen == [{"key": "a-0", "body": {"id": "a"}, "path": "/api/orders"}] * 3
    assert client.retries == 2
    assert client.call("POST", "/api/orders", {"id": "b"}, "b-0").status == 201
    assert server.connections == 1


def test_a_lost_connection_is_made_anew(server: Server) -> None:
    server.answers = [(0, {}), (0, {}), (200, {})]
    clock = Clock()
    assert Client(server.url, "key", clock).call("POST", "/x", {}, "k").status == 200
    assert len(server.seen) == 3
    assert clock.waits == [0.2, 0.4]


def test_a_kept_connection_that_was_closed_is_no_trouble(server: Server) -> None:
    server.answers = [(200, {}), (0, {}), (200, {})]
    clock = Clock()
    client = Client(server.url, "key", clock)
    assert [client.call("POST", "/x", {}, key).status for key in "ab"] == [200, 200]
    assert [seen["key"] for seen in server.seen] == ["a", "b", "b"]
    assert (clock.waits, client.retries, server.connections) == ([], 0, 2)


def test_a_refusal_and_a_fault_are_final(server: Server) -> None:
    client = Client(server.url, "key", Clock())
    for status in (400, 409, 500):
        server.answers = [(status, {})]
        answer = client.call("POST", "/x", {})
        assert (answer.status, answer.code, answer.detail) == (status, "told", "As told.")
    assert len(server.seen) == 3


def test_it_says_so_when_it_gives_up(server: Server) -> None:
    server.answers = [(503, {"Retry-After": "60"})]
    with pytest.raises(GaveUp, match=r"POST /x had no answer in 30 s \(503 As told.\)"):
        Client(server.url, "key", Clock(), patience=30).call("POST", "/x", {})
    with pytest.raises(GaveUp, match="refused"):
        Client(f"http://127.0.0.1:{free_port()}", "key", Clock(), patience=0).call("POST", "/x", {})


def test_a_stop_ends_the_waiting(server: Server) -> None:
    server.answers = [(503, {"Retry-After": "60"})]
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Client(server.url, "key", stop).call("POST", "/x", {})


def test_an_address_must_be_one() -> None:
    with pytest.raises(ValueError, match="must be like"):
        Client("127.0.0.1:8000", "key")
