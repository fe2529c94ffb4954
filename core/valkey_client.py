"""Valkey for the path of an order: short timeouts, and never the cause of an error.

All its data may vanish; while it is away, callers go on without it. No Django here, so that live can use it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from structlog import get_logger

# An order waits for the answer: better none than a late one.
TIMEOUT_SECONDS: Final = 0.25
# While Valkey is away, one request in this time tries it; the others don't wait.
BREAK_SECONDS: Final = 1.0

log = get_logger(__name__)


class Breaker:
    """A circuit breaker: a hung server costs its timeout only once in BREAK_SECONDS."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at = 0.0  # 0: the server answers

    @property
    def is_open(self) -> bool:
        return self._retry_at > 0

    def allows(self) -> bool:
        """Whether to ask the server now; while it is away, one caller at a time may try."""
        if not self._retry_at:
            return True
        with self._lock:
            now = self._clock()
            if now < self._retry_at:
                return False
            if self._retry_at:
                self._retry_at = now + BREAK_SECONDS
            return True

    def failed(self) -> None:
        with self._lock:
            self._retry_at = self._clock() + BREAK_SECONDS

    def succeeded(self) -> None:
        if self._retry_at:
            with self._lock:
                self._retry_at = 0.0


class ValkeyClient:
    """A client and its breaker, for all threads of a process. Raises ValueError for an invalid URL."""

    def __init__(self, url: str, breaker: Breaker | None = None) -> None:
        # redis-py's own retries would hold up an order for seconds.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self.breaker = breaker or Breaker()

    def ask[T](self, question: Callable[[redis.Redis], T]) -> T | None:
        """The result of `question`, which must not be None; None if Valkey is away."""
        if not self.breaker.allows():
            return None
        try:
            answer = question(self._client)
        except (RedisError, OSError) as error:
            if not self.breaker.is_open:
                log.warning("valkey_away", error=type(error).__name__)
            self.breaker.failed()
            return None
        self.breaker.succeeded()
        return answer


@cache
def valkey_client(url: str) -> ValkeyClient:
    """This process's client of that server, with one breaker for all who use it."""
    return ValkeyClient(url)
