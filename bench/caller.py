"""Calls over kept connections, as one client makes them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from bench.load import BenchFailed

# The server closes connections that are idle.
IDLE_SECONDS = 5


class Caller:
    """Each thread has a connection of its own."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._host, self._headers, self._local = urlsplit(base_url).netloc, headers, threading.local()

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, bytes, http.client.HTTPResponse]:
        """Milliseconds, body and answer. Raises BenchFailed where it isn't a success."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else {**self._headers, "Content-Type": "application/json"}
        connection = self._connection()
        began = time.perf_counter()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        content = answer.read()
        milliseconds = (time.perf_counter() - began) * 1000
        self._local.used = time.monotonic()
        if answer.status >= 400:
            raise BenchFailed(f"{method} {path} answered {answer.status}: {content[:300]!r}")
        return milliseconds, content, answer

    def close(self) -> None:
        """Closes this thread's connection."""
        if hasattr(self._local, "connection"):
            self._local.connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._host, timeout=120)
        elif time.monotonic() - self._local.used > IDLE_SECONDS:
            self._local.connection.close()
        connection: http.client.HTTPConnection = self._local.connection
        return connection
