"""Valkey as the path of an order may use it: never waited for longer than a moment, never the cause of an error.

All it holds may vanish; where it is away, callers go on without it. Without Django, so that live can use it.
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

# Valkey is asked with the order waiting: better without it than late.
TIMEOUT_SECONDS: Final = 0.25
# While Valkey is away, one request in this time tries it; the others go on without it and don't wait.
BREAK_SECONDS: Final = 1.0

log = get_logger(__name__)


class Breaker:
    """Remembers that a server is away, so that a hung one costs its timeout once in BREAK_SECONDS only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at = 0.0  # 0: the server answers

    @property
    def is_open(self) -> bool:
        return self._retry_at > 0

    def allows(self) -> bool:
        """Whether to ask the server now; while it is away, one caller at a time is let through to try."""
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
    """A client and its breaker, for all threads of a process. Raises ValueError for a URL that can't be right."""

    def __init__(self, url: str, breaker: Breaker | None = None) -> None:
        # redis-py's own retries would block an order for seconds.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self.breaker = breaker or Breaker()

    def ask[T](self, question: Callable[[redis.Redis], T]) -> T | None:
        """What the question returns; None without Valkey, so a question must not return None."""
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
    """This process's client of that server: all who use it learn together that it is away."""
    return ValkeyClient(url)
