"""Receives bodies completely before their requests go to a thread.

granian calls `receive` and the callbacks of chunks in one thread, one after the other; the watchdog calls `expire` in
another. The one that removes a body from `_reading` answers its request.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog

from core.http.limits import (
    BODY_SECONDS,
    DRAINED_BYTES,
    MOST_BODIES,
    MOST_HELD_BYTES,
    RATE_COUNTS_AFTER_SECONDS,
    SLOWEST_BYTES_A_SECOND,
    STALLED_SECONDS,
    body_limit,
)
from huuva.server.pool import Pool
from huuva.server.requests import Request

log = structlog.get_logger(__name__)


class Body:
    """A body that is being received. `length` is its Content-Length, None if it is chunked."""

    __slots__ = ("chunks", "draining", "future", "gate", "length", "limit", "request", "size")

    def __init__(self, gate: Gate, request: Request, length: int | None, limit: int) -> None:
        self.gate = gate
        self.request = request
        self.length = length
        self.limit = limit
        self.size = 0
        self.chunks: list[bytes] = []
        self.draining = False
        self.future: Any = None

    def read_on(self) -> None:
        self.future = self.request.protocol.__anext__()
        self.future.add_done_callback(self._on_chunk)

    def _on_chunk(self, future: Any) -> None:
        try:
            chunk: bytes = future.result()
            if not chunk:
                self.gate.on_body_end(self)
                return
            self.size += len(chunk)
            self.gate.on_chunk(self, chunk)
        except Exception:
            log.exception("body_not_received")
            self.gate.give_up(self, 500, "internal_error", "Something broke on our side; nothing was stored.")


class Gate:
    """Receives the requests of one worker process and passes complete ones to `pool`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._reading: dict[Body, bool] = {}
        self._held = 0
        self._lock = threading.Lock()

    def receive(self, watcher: Any) -> None:
        """granian's callback for a request whose head has arrived. Never raises or waits."""
        scope, protocol = watcher.scope, watcher.proto
        request = Request(scope, protocol, scope.path)
        try:
            headers = scope.headers
            length = headers.get("content-length")
            if length is None and "transfer-encoding" not in headers:
                self._pool.submit(request)
            else:
                self._receive_body(request, None if length is None else int(length))
        except Exception:
            log.exception("request_not_received")
            request.turn_away(500, "internal_error", "Something broke on our side; nothing was stored.")

    def _receive_body(self, request: Request, length: int | None) -> None:
        if length == 0:
            self._pool.submit(request)
            return
        limit = body_limit(request.path)
        body = Body(self, request, length, limit)
        if length is not None and length > limit:
            self._refuse_large(body)
            return
        if len(self._reading) >= MOST_BODIES and not self._end_oldest():
            request.turn_away(503, "too_busy", "Too many bodies are on their way. Send it again.")
            return
        request.on_end = self._release
        self._reading[body] = True
        request.protocol.__aiter__()
        body.read_on()

    def on_chunk(self, body: Body, chunk: bytes) -> None:
        if body.draining:
            if body.size < DRAINED_BYTES and body in self._reading:
                body.read_on()
            elif self._reading.pop(body, False):
                self._drop(body)
            return
        if body not in self._reading:
            return
        if body.size > body.limit:
            self._reading.pop(body, None)
            self._refuse_large(body)
            return
        body.chunks.append(chunk)
        with self._lock:
            self._held += len(chunk)
            full = self._held > MOST_HELD_BYTES
        body.request.received += len(chunk)
        if full:
            self.give_up(body, 503, "too_busy", "Too many bodies are on their way. Send it again.")
        elif body.length is not None and body.size >= body.length:
            self._complete(body)
        else:
            body.read_on()

    def on_body_end(self, body: Body) -> None:
        """The sender has finished, or its connection broke."""
        if body.draining:
            if self._reading.pop(body, False):
                self._drop(body)
        elif body.length is not None and body.size < body.length:
            detail = (
                f"The body ends after {body.size} bytes, Content-Length says {body.length}. Send it again."
            )
            self.give_up(body, 400, "invalid_json", detail)
        elif not body.size:
            self.give_up(
                body, 400, "invalid_json", "The body holds nothing: send {}, or say Content-Length: 0."
            )
        else:
            self._complete(body)

    def _complete(self, body: Body) -> None:
        if self._reading.pop(body, False):
            request = body.request
            request.body = body.chunks[0] if len(body.chunks) == 1 else b"".join(body.chunks)
            body.future = None
            request.arrived = time.monotonic()
            self._pool.submit(request)

    def give_up(self, body: Body, status: int, code: str, detail: str) -> None:
        """Answers the request of a body that won't be completed."""
        if self._reading.pop(body, False):
            body.chunks.clear()
            body.request.turn_away(status, code, detail)
            self._drop(body)

    @staticmethod
    def _drop(body: Body) -> None:
        """Cancels the reading of the body, which ends the connection."""
        future, body.future = body.future, None
        if future is not None:
            future.cancel()

    def _refuse_large(self, body: Body) -> None:
        """Answers at once and reads on a little: a sender that is still writing would not see the answer."""
        detail = f"The body is larger than {body.limit} bytes; send at most that much."
        body.request.turn_away(413, "body_too_large", detail)
        if body.length is not None and body.length > DRAINED_BYTES:
            return
        if not body.size:
            body.request.protocol.__aiter__()
        body.draining = True
        body.chunks.clear()
        if len(self._reading) < MOST_BODIES:
            self._reading[body] = True
            body.read_on()

    def _end_oldest(self) -> bool:
        """Makes room by ending the oldest body; False if none is old enough."""
        for body in list(self._reading):
            if time.monotonic() - body.request.arrived < STALLED_SECONDS:
                return False
            self._end_slow(body)
            if len(self._reading) < MOST_BODIES:
                return True
        return False

    def expire(self, now: float) -> None:
        """Ends bodies that are overdue or too slow. Called by the watchdog."""
        for body in list(self._reading):
            seconds = now - body.request.arrived
            if seconds > BODY_SECONDS or (
                seconds > RATE_COUNTS_AFTER_SECONDS and body.size < SLOWEST_BYTES_A_SECOND * seconds
            ):
                self._end_slow(body)

    def _end_slow(self, body: Body) -> None:
        if body.draining:
            # It was already answered.
            if self._reading.pop(body, False):
                self._drop(body)
            return
        detail = (
            f"The body came too slowly: {body.size} bytes so far. Send it again, within {BODY_SECONDS:.0f} s."
        )
        self.give_up(body, 408, "body_too_slow", detail)

    def _release(self, request: Request) -> None:
        with self._lock:
            self._held -= request.received

    @property
    def reading(self) -> int:
        return len(self._reading)
