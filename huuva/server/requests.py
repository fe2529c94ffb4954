"""A request, from its head to its answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import orjson

from core.logs import request_line, without_secrets
from core.request_metrics import TURNED_AWAY

TYPE_BASE: Final = "/api/problems#"
Headers = list[tuple[str, str]]


class Request:
    """`scope` and `protocol` are granian's: the head, and the way to answer. `body` is complete or empty."""

    __slots__ = ("arrived", "body", "on_end", "path", "protocol", "received", "scope")

    def __init__(self, scope: Any, protocol: Any, path: str) -> None:
        self.scope = scope
        self.protocol = protocol
        self.path = path
        # When the head arrived, later when the body was complete.
        self.arrived = time.monotonic()
        self.body: bytes = b""
        # Bytes that count as in use until the request ends.
        self.received = 0
        # Called once, when the request was answered or given up.
        self.on_end: Callable[[Request], None] | None = None

    def end(self) -> None:
        """Releases what the request uses. May be called more than once."""
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end(self)

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        self.protocol.response_bytes(status, headers, body)

    def turn_away(self, status: int, code: str, detail: str, *, close: bool = True) -> None:
        """Answers without Django: a problem document (RFC 9457), or a short page for browsers."""
        headers, body = refusal(self.scope, self.path, status, code, detail)
        if close:
            headers.append(("connection", "close"))
        self.answer(status, headers, body)
        self.end()


def refusal(scope: Any, path: str, status: int, code: str, detail: str) -> tuple[Headers, bytes]:
    """The headers and body of an answer by `turn_away`; logs and counts it."""
    request_id = uuid.uuid4().hex
    request_line(
        request_id=request_id, method=scope.method, path=without_secrets(path), status=status, code=code
    )
    TURNED_AWAY.labels(code).inc()
    headers: Headers = [("x-request-id", request_id), ("cache-control", "no-store")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("retry-after", "2"))
    if not path.startswith("/api") and "text/html" in (scope.headers.get("accept") or ""):
        headers.append(("content-type", "text/html; charset=utf-8"))
        page = (
            f'<!doctype html><html lang="en"><title>{HTTPStatus(status).phrase}</title><p>{detail}</p></html>'
        )
        return headers, page.encode()
    problem = {
        "type": f"{TYPE_BASE}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "requestId": request_id,
        "errors": [],
    }
    headers.append(("content-type", "application/problem+json"))
    return headers, orjson.dumps(problem)
