"""Rate limits of keys: an exact sliding minute, counted in Valkey by one round trip."""

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import redis
from django.conf import settings
from redis.exceptions import NoScriptError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.problems import Problem
from core.valkey_client import ValkeyClient, valkey_client
from integrations.key_cache import KeyGrant

if TYPE_CHECKING:
    # DRF's views import this module while they are themselves being imported.
    from rest_framework.views import APIView

WINDOW_SECONDS: Final = 60

# A list of the times of the calls in the last minute, newest first: exact (no double burst across a window's
# edge, which fixed windows and token buckets allow), constant in time (each entry is pushed and popped
# once), ten bytes a call. The time is Valkey's, one clock for all web processes. Calls that pass are counted.
# Answers {allowed, calls left, milliseconds until one comes back}.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, limit, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
-- Calls in the future were counted before the clock was set back: nobody waits for that time.
if (tonumber(redis.call('LINDEX', key, 0)) or 0) > now + 1000 then redis.call('DEL', key) end
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
    """The state of a key's limit: calls a minute, calls left, seconds until one comes back and to wait (0: allowed)."""

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


class CallCounter:
    """Counts calls in Valkey."""

    def __init__(self, valkey: ValkeyClient) -> None:
        self._valkey = valkey

    def count(self, name: str, limit: int) -> RateLimit | None:
        """Count one call of `name` and return the state of its limit; None, which allows the call, without Valkey."""
        answer = self._valkey.ask(lambda client: _run(client, f"huuva:rate:{name}", limit))
        if answer is None:
            return None
        allowed, remaining, wait = answer
        seconds = -(-wait // 1000)
        return RateLimit(limit, remaining, seconds, 0 if allowed else max(1, seconds))


def _run(client: redis.Redis, key: str, limit: int) -> list[int]:
    words = (1, key, limit, WINDOW_SECONDS * 1000)
    answer: list[int]
    try:
        answer = client.evalsha(_SCRIPT_ID, *words)
    except NoScriptError:
        # Valkey is new or was restarted.
        answer = client.eval(_SCRIPT, *words)
    return answer


@cache
def call_counter() -> CallCounter:
    """This process's counter."""
    return CallCounter(valkey_client(settings.REDIS_URL))


class KeyRateThrottle(BaseThrottle):
    """Limits the calls a minute of each key. Sets `rate_limit` on the request for the answer's headers.

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
                f"The key {grant.name} may call {limit} times a minute. Try again in {rate_limit.retry_after} s; "
                "the RateLimit header of every answer says how many calls are left.",
                status=429,
                headers={"Retry-After": str(rate_limit.retry_after), **rate_limit.headers()},
            )
        return True
