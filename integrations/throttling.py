"""How often a key may call: an exact sliding minute, counted in Valkey by one round trip."""

import hashlib
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from structlog import get_logger

from huuva.problems import Problem
from integrations.key_cache import KeyGrant

if TYPE_CHECKING:
    # DRF's views import this module while they are themselves being imported.
    from rest_framework.views import APIView

WINDOW_SECONDS: Final = 60
# Valkey is asked with the order waiting: better uncounted than late.
TIMEOUT_SECONDS: Final = 0.25
# While Valkey is away, one request in this time tries it; the others pass uncounted and don't wait.
BREAK_SECONDS: Final = 1.0

log = get_logger(__name__)

# A list of the times of the calls in the last minute, newest first: exact (no double burst across a window's
# edge, which fixed windows and token buckets allow), constant in time (each entry is pushed and popped
# once), ten bytes a call. The time is Valkey's, one clock for all web processes. Calls that pass are counted.
# Answers {allowed, calls left, milliseconds until one comes back}.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, limit, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local count = redis.call('LLEN', key)
local oldest = now
while count > 0 do
  oldest = tonumber(redis.call('LINDEX', key, -1))
  if oldest > now - window then break end
  redis.call('RPOP', key)
  count, oldest = count - 1, now
end
local wait = oldest + window - now
if count >= limit then return {0, 0, wait} end
redis.call('LPUSH', key, now)
redis.call('PEXPIRE', key, window)
return {1, limit - count - 1, wait}
"""
# Valkey knows scripts by their SHA-1; sending that instead of the script saves it reading the text each time.
_SCRIPT_ID: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()


class RateLimit(NamedTuple):
    """Where a key stands: calls a minute, calls left, seconds until one comes back and to wait (0: go on)."""

    limit: int
    remaining: int
    reset_seconds: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10: the policy, and what is left of it."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={self.remaining};t={self.reset_seconds}',
        }


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


class CallCounter:
    """Counts calls in Valkey. One client, and so one pool, for each process."""

    def __init__(self, url: str, breaker: Breaker | None = None) -> None:
        # redis-py's own retries would block an order for seconds.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self.breaker = breaker or Breaker()

    def count(self, name: str, limit: int) -> RateLimit | None:
        """Count one call of `name` and say where it stands; None, which lets it pass, without Valkey."""
        if not self.breaker.allows():
            return None
        try:
            allowed, remaining, wait = self._run(f"huuva:rate:{name}", limit)
        except (RedisError, OSError) as error:
            if not self.breaker.is_open:
                log.warning("rate_limits_off", error=type(error).__name__)
            self.breaker.failed()
            return None
        self.breaker.succeeded()
        seconds = -(-wait // 1000)
        return RateLimit(limit, remaining, seconds, 0 if allowed else max(1, seconds))

    def _run(self, key: str, limit: int) -> list[int]:
        words = (1, key, limit, WINDOW_SECONDS * 1000)
        answer: list[int]
        try:
            answer = self._client.evalsha(_SCRIPT_ID, *words)
        except NoScriptError:
            # Valkey is new or was restarted.
            answer = self._client.eval(_SCRIPT, *words)
        return answer


@cache
def call_counter() -> CallCounter:
    """This process's counter."""
    return CallCounter(settings.REDIS_URL)


class KeyRateThrottle(BaseThrottle):
    """Holds each key to its calls a minute. Puts `rate_limit` on the request for the answer's headers.

    Raises Problem 429 `rate_limited` with `Retry-After` (seconds). Without Valkey all calls pass.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        grant = request.auth
        if not isinstance(grant, KeyGrant):
            return True
        limit: int = settings.HUUVA_RATE_LIMIT if grant.rate_limit is None else grant.rate_limit
        if limit == 0:
            return True
        # By prefix, not by id: several databases may share one Valkey.
        rate_limit = call_counter().count(grant.prefix, limit)
        if rate_limit is None:
            return True
        request.rate_limit = request._request.rate_limit = rate_limit  # type: ignore[attr-defined]
        if rate_limit.retry_after:
            raise Problem(
                "rate_limited",
                f"The key {grant.name} may call {limit} times a minute. Go on in {rate_limit.retry_after} s; "
                "the RateLimit header of every answer says how many calls are left.",
                status=429,
                headers={"Retry-After": str(rate_limit.retry_after), **rate_limit.headers()},
            )
        return True
