"""Tells live that something changed in a kitchen, so that its screens fetch their boards.

A request only notes the hint; a thread of its own sends it. So Valkey may be slow or away and no order waits for it;
several changes at once become one hint; and a hint that could not be sent is sent when Valkey is back.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Final, NamedTuple

import redis
from django.conf import settings
from django.db import transaction

from huuva.live.channels import ORDERS, SCREENS, channel, message
from huuva.moments import moment
from huuva.valkey_client import ValkeyClient, valkey_client

__all__ = ["ORDERS", "SCREENS", "Publisher", "publish", "publish_on_commit"]

# After each hint: of a burst of changes few hints are left, each of which costs live, and makes every screen fetch. The
# first change after a quiet moment is told at once.
PAUSE_SECONDS: Final = 0.02
# Between attempts while Valkey is away; the breaker lets one through each second.
RETRY_SECONDS: Final = 0.25
# A command that changes something and ends at once still gets its hint out.
LAST_SECONDS: Final = 0.5


class Noted(NamedTuple):
    """Of several changes that become one hint: the time (ms since 1970) of the first, a moment after the last."""

    at_ms: int
    moment: str


class Publisher:
    """Keeps what is to be sent, one hint for each kitchen and kind at most, and sends it in the background."""

    def __init__(self, valkey: ValkeyClient, rest: Callable[[float], None] = time.sleep) -> None:
        self._valkey = valkey
        self._rest = rest
        self._changed = threading.Condition()
        self._wanted: dict[tuple[str, str], Noted] = {}  # by kitchen and kind
        self._sending = False
        self._thread: threading.Thread | None = None

    def publish(self, kitchen: str, kind: str) -> None:
        """Returns at once, and never raises."""
        with self._changed:
            before = self._wanted.get((kitchen, kind))
            at_ms = before.at_ms if before else time.time_ns() // 1_000_000
            self._wanted[kitchen, kind] = Noted(at_ms, moment())
            # Not alive either in a process that was forked off since.
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Waits until everything is sent; false if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._wanted and not self._sending, seconds)

    def _start(self) -> None:
        if self._thread is None:
            atexit.register(self.flush, LAST_SECONDS)
        self._sending = False
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._wanted))
                batch, self._wanted, self._sending = self._wanted, {}, True
            sent = self._valkey.ask(partial(_send, batch))
            with self._changed:
                self._sending = False
                if sent is None:
                    for key, noted in batch.items():
                        newer = self._wanted.get(key, noted)
                        self._wanted[key] = Noted(noted.at_ms, newer.moment)
                self._changed.notify_all()
            self._rest(RETRY_SECONDS if sent is None else PAUSE_SECONDS)


def _send(batch: dict[tuple[str, str], Noted], client: redis.Redis) -> bool:
    pipeline = client.pipeline(transaction=False)
    for (kitchen, kind), noted in batch.items():
        pipeline.publish(channel(kitchen), message(kind, *noted))
    pipeline.execute()
    return True


@cache
def _publisher() -> Publisher:
    return Publisher(valkey_client(settings.REDIS_URL))


def publish(kitchen: str, kind: str = ORDERS) -> None:
    """A hint for the screens of a kitchen, about what is committed already."""
    _publisher().publish(kitchen, kind)


def publish_on_commit(kitchen: str, kind: str = ORDERS) -> None:
    """A hint for the screens of a kitchen, as soon as this transaction is committed; none if it is rolled back."""
    transaction.on_commit(partial(publish, kitchen, kind))
