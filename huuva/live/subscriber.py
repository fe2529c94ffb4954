"""The one subscription of this process: hears the hints of all kitchens, and knows whether it would hear them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, NoReturn

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from structlog import get_logger

from huuva.live import channels

# A server that hangs is noticed after one to two of these, one that dies at once.
SILENCE_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 1.0

log = get_logger(__name__)


class Subscriber:
    """Calls `on_hint` for each hint and `on_state(up)` when Valkey comes and goes.

    Raises ValueError for a URL that can't be one of Valkey.
    """

    def __init__(
        self,
        url: str,
        on_hint: Callable[[channels.Hint], None],
        on_state: Callable[[bool], None],
    ) -> None:
        self._on_hint = on_hint
        self._on_state = on_state
        self._up: bool | None = None  # None: not tried yet
        self._wait_seconds = FIRST_WAIT_SECONDS
        # We reconnect by ourselves: the library's retries would keep quiet about the time in between.
        self._client = redis.asyncio.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )

    async def run(self) -> NoReturn:
        """Listens until it is cancelled."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                self._lost(error)
            await asyncio.sleep(self._wait_seconds)
            self._wait_seconds = min(2 * self._wait_seconds, LONGEST_WAIT_SECONDS)

    async def _listen(self) -> NoReturn:
        pubsub = self._client.pubsub()
        asked = True  # psubscribe is answered like a ping
        try:
            await asyncio.wait_for(pubsub.psubscribe(f"{channels.KITCHENS}*"), CONNECT_SECONDS)
            while True:
                message = await pubsub.get_message(timeout=SILENCE_SECONDS)
                if message is not None:
                    asked = False
                    self._heard(message)
                elif asked:
                    raise TimeoutError("Valkey accepts connections but does not answer")
                else:
                    await pubsub.ping()
                    asked = True
        finally:
            await pubsub.aclose()

    def _heard(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            self._wait_seconds = FIRST_WAIT_SECONDS
            self._up = True
            log.info("live_subscribed")
            self._on_state(True)
        elif message["type"] == "pmessage":
            hint = channels.read(message["channel"], message["data"])
            if hint is not None:
                self._on_hint(hint)

    def _lost(self, error: Exception) -> None:
        if self._up is not False:
            log.warning("live_valkey_away", error=type(error).__name__)
        self._up = False
        self._on_state(False)
