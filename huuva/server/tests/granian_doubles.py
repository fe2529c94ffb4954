"""Stand-ins for granian's request and answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Headers(dict[str, str]):
    """One value for each name."""


class Scope:
    def __init__(self, path: str = "/api/orders", method: str = "POST", **headers: str) -> None:
        self.path, self.method = path, method
        self.headers = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        self.http_version, self.scheme, self.query_string, self.authority = "1.1", "http", "a=1", None
        self.server, self.client = "127.0.0.1:8000", "192.0.2.7:4711"


class Future:
    """granian's future: completed by the test, its callback runs at once."""

    def __init__(self) -> None:
        self.callback: Callable[[Future], None] | None = None
        self.cancelled = False
        self._value = b""

    def add_done_callback(self, callback: Callable[[Future], None], context: Any = None) -> None:
        self.callback = callback

    def complete(self, value: bytes = b"") -> None:
        self._value = value
        assert self.callback is not None
        self.callback(self)

    def result(self) -> bytes:
        return self._value

    def cancel(self) -> bool:
        self.cancelled = True
        return True


class Protocol:
    """Records the answer; `chunk` and `gone` are the futures that were handed out last."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.chunk = Future()
        self.gone = Future()

    def __aiter__(self) -> Protocol:
        return self

    def __anext__(self) -> Future:
        self.chunk = Future()
        return self.chunk

    def client_disconnect(self) -> Future:
        return self.gone

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        if not self.answers:
            self.answers.append((status, dict(headers), body))

    @property
    def status(self) -> int | None:
        return self.answers[0][0] if self.answers else None


class Watcher:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.proto = Protocol()
