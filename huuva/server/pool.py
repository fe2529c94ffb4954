"""The threads that answer requests, and their queues.

Probes have threads of their own, so that they answer when all others are busy. Boards get a quarter of the
threads at most, and so do lists, reports, exports and pages: many of them must not keep orders waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

import structlog
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.http.limits import MOST_WAITING, WAIT_SECONDS
from huuva.server.requests import Request

log = structlog.get_logger(__name__)

LIVENESS: Final = frozenset({"/livez", "/livez/", "/api/health", "/api/health/"})
READINESS: Final = frozenset({"/readyz", "/readyz/", "/metrics", "/metrics/"})
BOARDS: Final = ("/display/", "/pickup/")
# Reads below it are of one order and short, except for the change feed.
ORDERS: Final = "/api/orders/"
FEED: Final = "/api/orders/events"
BUSY: Final = "No thread was free within {:.0f} s. Nothing was done; send it again."
FULL: Final = "Too many requests are waiting. Nothing was done; send it again."


class AnsweringThread(threading.Thread):
    """One thread of a lane. `request` is what it is answering, since `started_at`; `database` is its connection."""

    def __init__(self, lane: Lane, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.lane = lane
        self.request: Request | None = None
        self.started_at = 0.0
        self.database: BaseDatabaseWrapper | None = None

    def run(self) -> None:
        self.database = connections["default"]
        while True:
            request = self.lane.take()
            self.started_at = time.monotonic()
            self.request = request
            try:
                self.lane.respond(request)
            except Exception:
                log.exception("request_not_answered", path=request.path)
                request.answer(500, [], b"")
            finally:
                self.request = None
                request.end()
            del request


class Lane:
    """A queue and its threads."""

    def __init__(self, name: str, threads: int, respond: Callable[[Request], None]) -> None:
        self.respond = respond
        self._queue: SimpleQueue[Request] = SimpleQueue()
        # Oldest first. The one that removes a request from it answers the request.
        self._waiting: dict[Request, bool] = {}
        self.threads = [AnsweringThread(self, f"{name}-{number}") for number in range(1, threads + 1)]
        for thread in self.threads:
            thread.start()

    def submit(self, request: Request) -> None:
        if len(self._waiting) >= MOST_WAITING:
            request.turn_away(503, "too_busy", FULL)
            return
        self._waiting[request] = True
        self._queue.put(request)

    def take(self) -> Request:
        """The next request that was not removed meanwhile. Waits for one."""
        while True:
            request = self._queue.get()
            if self._waiting.pop(request, False):
                return request

    def remove(self, request: Request) -> bool:
        """Removes a request from the queue; False if a thread is already answering it."""
        return self._waiting.pop(request, False)

    def expire(self, now: float) -> None:
        """Turns away requests that have waited too long. Called by the watchdog."""
        for request in list(self._waiting):
            if now - request.arrived < WAIT_SECONDS:
                return
            if self.remove(request):
                request.turn_away(503, "too_busy", BUSY.format(WAIT_SECONDS), close=False)


class Share:
    """Lets at most `most` requests into a lane at a time; the others wait here, and are removed when their client
    disconnects."""

    def __init__(self, lane: Lane, most: int) -> None:
        self._lane = lane
        self._most = most
        self._lock = threading.Lock()
        self._inside = 0
        self._backlog: dict[Request, Any] = {}

    def submit(self, request: Request) -> None:
        if len(self._backlog) >= MOST_WAITING:
            request.turn_away(503, "too_busy", FULL)
            return
        gone = request.protocol.client_disconnect()
        release = request.on_end

        def end(request: Request) -> None:
            gone.cancel()
            if release is not None:
                release(request)
            self._next()

        with self._lock:
            if self._inside >= self._most:
                self._backlog[request] = end
                gone.add_done_callback(lambda _: self._leave(request))
                return
            self._inside += 1
        self._enter(request, end)
        gone.add_done_callback(lambda _: self._leave(request))

    def _enter(self, request: Request, end: Callable[[Request], None]) -> None:
        request.on_end = end
        self._lane.submit(request)

    def _next(self) -> None:
        with self._lock:
            request = next(iter(self._backlog), None)
            if request is None:
                self._inside -= 1
                return
            end = self._backlog.pop(request)
        self._enter(request, end)

    def _leave(self, request: Request) -> None:
        """The client has disconnected: a request that has not started is dropped."""
        with self._lock:
            waiting = self._backlog.pop(request, None)
        if waiting is None and self._lane.remove(request):
            request.end()

    def expire(self, now: float) -> None:
        """Turns away requests that have waited too long. Called by the watchdog."""
        with self._lock:
            late = [request for request in self._backlog if now - request.arrived >= WAIT_SECONDS]
            for request in late:
                del self._backlog[request]
        for request in late:
            request.turn_away(503, "too_busy", BUSY.format(WAIT_SECONDS), close=False)


class Pool:
    """All lanes of one worker process."""

    def __init__(self, respond: Callable[[Request], None], threads: int) -> None:
        quarter = max(1, threads // 4)
        self._answers = Lane("answer", threads, respond)
        self._liveness = Lane("liveness", 1, respond)
        self._readiness = Lane("readiness", 1, respond)
        self._boards = Share(self._answers, quarter)
        self._reads = Share(self._answers, quarter)
        self._lanes = (self._answers, self._liveness, self._readiness)

    def submit(self, request: Request) -> None:
        """Queues a complete request for a thread, or answers 503 if too many wait."""
        path = request.path
        if path in LIVENESS:
            self._liveness.submit(request)
        elif path in READINESS:
            self._readiness.submit(request)
        elif request.scope.method != "GET" or (path.startswith(ORDERS) and not path.startswith(FEED)):
            self._answers.submit(request)
        elif path.startswith(BOARDS):
            self._boards.submit(request)
        else:
            self._reads.submit(request)

    @property
    def threads(self) -> list[AnsweringThread]:
        return [thread for lane in self._lanes for thread in lane.threads]

    def expire(self, now: float) -> None:
        for lane in self._lanes:
            lane.expire(now)
        self._boards.expire(now)
        self._reads.expire(now)
