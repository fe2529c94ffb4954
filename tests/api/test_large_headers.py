"""Heads of requests that are larger than any browser's or channel's: a 4xx or a closed connection, and the server goes on."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

MIB = 1024 * 1024


def heads() -> Iterator[tuple[str, bytes]]:
    start = b"GET /api/orders HTTP/1.1\r\nHost: localhost\r\n"
    yield "one huge header", start + b"X-Much: " + b"x" * MIB + b"\r\n\r\n"
    yield "a huge cookie", start + b"Cookie: sessionid=" + b"x" * MIB + b"\r\n\r\n"
    yield "a huge key", start + b"Authorization: Bearer " + b"x" * MIB + b"\r\n\r\n"
    yield "too many headers", start + b"".join(b"X-%d: 1\r\n" % number for number in range(10_000)) + b"\r\n"
    yield "a huge address", b"GET /api/orders?account=" + b"x" * MIB + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield "a header with a line break", start + b"X-Request-Id: a\nb: c\r\n\r\n"
    yield "two lengths", start.replace(b"GET", b"POST") + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}"
    yield (
        "length and chunks",
        start.replace(b"GET", b"POST")
        + (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    )
    yield "no request", b"\x16\x03\x01\x02\x00" * 100


@pytest.mark.parametrize("head", [pytest.param(head, id=name) for name, head in heads()])
def test_a_head_that_no_client_sends_does_no_harm(live_stack: Any, head: bytes) -> None:
    status = b""
    with socket.create_connection(("127.0.0.1", live_stack.port), timeout=20) as connection:
        try:
            connection.sendall(head)
            connection.shutdown(socket.SHUT_WR)
            status = connection.recv(4096).partition(b"\r\n")[0]
        except TimeoutError:
            raise
        except OSError:
            pass  # closed before all was sent

    assert status == b"" or status.split()[1][:1] in (b"4",), status
    with urlopen(f"{live_stack.base_url}/api/health", timeout=20) as answer:
        assert answer.status == 200
