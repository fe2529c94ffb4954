"""The web server as it runs: what stalls it, and what happens when its workers are replaced."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.live_stack import LiveStack

STALLED = 24
SECONDS = 60


def connect(stack: LiveStack) -> socket.socket:
    return socket.create_connection(("127.0.0.1", stack.port), timeout=SECONDS)


def stall(stack: LiveStack, path: str, head: str = "") -> socket.socket:
    """A connection that announces a body and sends one byte of it."""
    sender = connect(stack)
    sender.sendall(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\nContent-Length: 5000\r\n"
        f"Content-Type: application/json\r\n{head}\r\nx".encode()
    )
    return sender


def answer_and_end(sender: socket.socket) -> bytes:
    """All that the server sends until it ends the connection."""
    received = b""
    with sender:
        while data := sender.recv(65536):
            received += data
    return received


def ask(stack: LiveStack, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=SECONDS)
    connection.request("GET", path, headers={"Authorization": f"Bearer {stack.key}"})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "path", ["/api/orders", "/api/channels/deliverect/nobody", "/admin/login/", "/display/bump", "/nowhere"]
)
def test_stalled_bodies_delay_no_other_call_and_are_ended(live_stack: LiveStack, path: str) -> None:
    head = f"Authorization: Bearer {live_stack.key}\r\nX-Server-Authorization-HMAC-SHA256: 00\r\n"
    senders = [stall(live_stack, path, head) for _ in range(STALLED)]
    statuses = [ask(live_stack, way) for way in ("/livez", "/readyz", "/metrics", "/api/orders")]
    answers = [answer_and_end(sender) for sender in senders]

    assert statuses == [200, 200, 200, 200]
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers), answers


def test_body_that_is_too_large_is_answered_before_it_is_sent(live_stack: LiveStack) -> None:
    with connect(live_stack) as sender:
        sender.sendall(
            b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        assert sender.recv(12) == b"HTTP/1.1 413"


class Client(threading.Thread):
    """Asks again and again, on a connection that it keeps where the server lets it."""

    def __init__(self, stack: LiveStack, stop: threading.Event) -> None:
        super().__init__()
        self.stack, self.stop_asking = stack, stop
        self.answered = 0
        self.failures: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=SECONDS)
        while not self.stop_asking.is_set():
            try:
                connection.request("GET", "/api/health")
                response = connection.getresponse()
                response.read()
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()
                continue
            self.answered += 1
            if response.status != 200:
                self.failures.append(str(response.status))
        connection.close()


@pytest.fixture
def web(live_stack: LiveStack, tmp_path: Path) -> psutil.Process:
    live_stack.stop_web()
    live_stack.start_web(workers=2)
    assert live_stack.web is not None
    return psutil.Process(live_stack.web.pid)


def test_reload_replaces_all_workers_and_refuses_no_call(live_stack: LiveStack, web: psutil.Process) -> None:
    old = {child.pid for child in web.children()}
    stop = threading.Event()
    clients = [Client(live_stack, stop) for _ in range(4)]
    for client in clients:
        client.start()
    os.kill(web.pid, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS
    while old & {child.pid for child in web.children()} and time.monotonic() < deadline:
        assert ask(live_stack, "/api/orders") == 200
    stop.set()
    for client in clients:
        client.join()

    new = {child.pid for child in web.children()}
    assert len(old) == len(new) == 2
    assert not old & new
    assert [client.failures for client in clients] == [[], [], [], []]
    assert all(client.answered for client in clients)
