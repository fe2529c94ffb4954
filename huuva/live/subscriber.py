"""The subscription of this process to Valkey: hints of all kitchens and pairings that end. It detects when Valkey is
away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from structlog import get_logger

from core import stream_channels as channels

# A server that hangs is noticed after one or two of these, one that dies at once.
SILENCE_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 1.0

log = get_logger(__name__)


class Subscriber:
    """Calls `on_hint` for each hint, `on_ended` for each pairing that ends or ended while it wasn't subscribed (some
    twice), and `on_state(up)` when Valkey comes or goes.

    Raises ValueError for a URL that is not one of Valkey.
    """

    def __init__(
        self,
        url: str,
        on_hint: Callable[[channels.Hint], None],
        on_ended: Callable[[str], None],
        on_state: Callable[[bool], None],
    ) -> None:
        self._on_hint = on_hint
        self._on_ended = on_ended
        self._on_state = on_state
        self._up: bool | None = None  # None: not tried yet
        self._wait_seconds = FIRST_WAIT_SECONDS
        # We reconnect by ourselves: the library's retries would hide the outage.
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
        pinged = True  # psubscribe is answered like a ping
        try:
            await asyncio.wait_for(pubsub.psubscribe(f"{channels.KITCHENS}*"), CONNECT_SECONDS)
            while True:
                message = await pubsub.get_message(timeout=SILENCE_SECONDS)
                if message is not None:
                    pinged = False
                    if message["type"] == "psubscribe":
                        await self._read_ended()
                    self._handle(message)
                elif pinged:
                    raise TimeoutError("Valkey accepts connections but does not answer")
                else:
                    await pubsub.ping()
                    pinged = True
        finally:
            await pubsub.aclose()

    async def _read_ended(self) -> None:
        """The pairings that ended before we subscribed. Read after subscribing, so that none is missed."""
        reading = self._client.zrangebyscore(channels.ENDED_PAIRINGS, time.time(), "+inf")
        pairings: Any = await asyncio.wait_for(reading, CONNECT_SECONDS)
        for pairing in pairings:
            self._on_ended(pairing.decode())

    def _handle(self, message: dict[str, Any]) -> None:
        if message["type"] == "psubscribe":
            self._wait_seconds = FIRST_WAIT_SECONDS
            self._up = True
            log.info("live_subscribed")
            self._on_state(True)
        elif message["type"] == "pmessage":
            event = channels.read(message["channel"], message["data"])
            if isinstance(event, channels.Ended):
                self._on_ended(event.pairing)
            elif event is not None:
                self._on_hint(event)

    def _lost(self, error: Exception) -> None:
        if self._up is not False:
            log.warning("live_valkey_away", error=type(error).__name__)
        self._up = False
        self._on_state(False)
