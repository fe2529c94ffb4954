"""Tells live that something changed in a kitchen, so that its screens fetch their boards.

A request only queues the hint; a background thread sends it. So Valkey may be slow or away and no order waits for it,
several changes at once become one hint, and a hint that could not be sent is sent when Valkey is back.
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

from core.monotonic import stamp
from core.stream_channels import ENDED_PAIRINGS, ORDERS, SCREENS, channel, ended_message, message
from core.stream_tokens import LIFETIME_SECONDS
from core.valkey_client import ValkeyClient, valkey_client

__all__ = ["ORDERS", "SCREENS", "Publisher", "end_pairing_on_commit", "publish", "publish_on_commit"]

# After each hint: a burst of changes becomes few hints, as each costs live something and makes every screen fetch. The
# first change after a pause is published at once.
PAUSE_SECONDS: Final = 0.02
# Between attempts while Valkey is away; the breaker lets one through each second.
RETRY_SECONDS: Final = 0.25
# A command that changes something and ends at once still gets its hint out.
LAST_SECONDS: Final = 0.5


class PendingHint(NamedTuple):
    """Of several changes that become one hint: the time (ms since 1970) of the first, a monotonic stamp of the last."""

    at_ms: int
    stamp: str


class Batch(NamedTuple):
    """What is sent together: hints by kitchen and kind, and the kitchens of ended pairings, by pairing."""

    hints: dict[tuple[str, str], PendingHint]
    ended: dict[str, str]


class Publisher:
    """Queues what is to be sent and sends it in the background: at most one hint for each kitchen and kind, and the
    pairings that have ended."""

    def __init__(self, valkey: ValkeyClient, sleep: Callable[[float], None] = time.sleep) -> None:
        self._valkey = valkey
        self._sleep = sleep
        self._changed = threading.Condition()
        self._pending = Batch({}, {})
        self._sending = False
        self._thread: threading.Thread | None = None

    def publish(self, kitchen: str, kind: str) -> None:
        """Returns at once, and never raises."""
        with self._changed:
            earlier = self._pending.hints.get((kitchen, kind))
            at_ms = earlier.at_ms if earlier else time.time_ns() // 1_000_000
            self._pending.hints[kitchen, kind] = PendingHint(at_ms, stamp())
            self._wake()

    def end_pairing(self, kitchen: str, pairing: str) -> None:
        """The same: live ends the streams of that pairing, after a hint by which their pages learn of it."""
        with self._changed:
            self._pending.ended[pairing] = kitchen
            self._wake()

    def _wake(self) -> None:
        # In a forked process the thread exists but isn't alive.
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Waits until everything is sent; false if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(self._pending) and not self._sending, seconds)

    def _start(self) -> None:
        if self._thread is None:
            atexit.register(self.flush, LAST_SECONDS)
        self._sending = False
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: any(self._pending))
                batch, self._pending, self._sending = self._pending, Batch({}, {}), True
            sent = self._valkey.ask(partial(_send, batch))
            with self._changed:
                self._sending = False
                if sent is None:
                    for key, hint in batch.hints.items():
                        newer = self._pending.hints.get(key, hint)
                        self._pending.hints[key] = PendingHint(hint.at_ms, newer.stamp)
                    self._pending.ended.update(batch.ended)
                self._changed.notify_all()
            self._sleep(RETRY_SECONDS if sent is None else PAUSE_SECONDS)


def _send(batch: Batch, client: redis.Redis) -> bool:
    pipeline = client.pipeline(transaction=False)
    for (kitchen, kind), hint in batch.hints.items():
        pipeline.publish(channel(kitchen), message(kind, *hint))
    if batch.ended:
        now = time.time()
        pipeline.zremrangebyscore(ENDED_PAIRINGS, "-inf", now)
        pipeline.zadd(ENDED_PAIRINGS, dict.fromkeys(batch.ended, now + LIFETIME_SECONDS))
        pipeline.expire(ENDED_PAIRINGS, LIFETIME_SECONDS)
    for pairing, kitchen in batch.ended.items():
        pipeline.publish(channel(kitchen), ended_message(pairing))
    pipeline.execute()
    return True


@cache
def _publisher() -> Publisher:
    return Publisher(valkey_client(settings.REDIS_URL))


def publish(kitchen: str, kind: str = ORDERS) -> None:
    """A hint for the screens of a kitchen about a change that is committed already."""
    _publisher().publish(kitchen, kind)


def publish_on_commit(kitchen: str, kind: str = ORDERS) -> None:
    """A hint for the screens of a kitchen, as soon as this transaction is committed; none if it is rolled back."""
    transaction.on_commit(partial(publish, kitchen, kind))


def end_pairing_on_commit(kitchen: str, pairing: str) -> None:
    """As soon as this transaction is committed, the streams of a browser that has lost its screen end.

    `pairing` as in its tokens; empty where the screen had none.
    """
    publish_on_commit(kitchen, SCREENS)
    if pairing:
        transaction.on_commit(lambda: _publisher().end_pairing(kitchen, pairing))
