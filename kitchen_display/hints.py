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

from core.monotonic import stamp
from core.stream_channels import ENDED_PAIRINGS, ORDERS, SCREENS, channel, ended_message, message
from core.stream_tokens import LIFETIME_SECONDS
from core.valkey_client import ValkeyClient, valkey_client

__all__ = ["ORDERS", "SCREENS", "Publisher", "end_pairing_on_commit", "publish", "publish_on_commit"]

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


class Batch(NamedTuple):
    """What is sent at once: hints by kitchen and kind, and the kitchens of pairings that have ended."""

    hints: dict[tuple[str, str], Noted]
    ended: dict[str, str]


class Publisher:
    """Keeps what is to be sent, and sends it in the background: one hint for each kitchen and kind at most, and the
    pairings that have ended."""

    def __init__(self, valkey: ValkeyClient, rest: Callable[[float], None] = time.sleep) -> None:
        self._valkey = valkey
        self._rest = rest
        self._changed = threading.Condition()
        self._wanted = Batch({}, {})
        self._sending = False
        self._thread: threading.Thread | None = None

    def publish(self, kitchen: str, kind: str) -> None:
        """Returns at once, and never raises."""
        with self._changed:
            before = self._wanted.hints.get((kitchen, kind))
            at_ms = before.at_ms if before else time.time_ns() // 1_000_000
            self._wanted.hints[kitchen, kind] = Noted(at_ms, stamp())
            self._hurry()

    def end_pairing(self, kitchen: str, pairing: str) -> None:
        """Likewise: live ends the streams of that pairing, after a hint by which their pages learn of it."""
        with self._changed:
            self._wanted.ended[pairing] = kitchen
            self._hurry()

    def _hurry(self) -> None:
        # Not alive either in a process that was forked off since.
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Waits until everything is sent; false if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(self._wanted) and not self._sending, seconds)

    def _start(self) -> None:
        if self._thread is None:
            atexit.register(self.flush, LAST_SECONDS)
        self._sending = False
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: any(self._wanted))
                batch, self._wanted, self._sending = self._wanted, Batch({}, {}), True
            sent = self._valkey.ask(partial(_send, batch))
            with self._changed:
                self._sending = False
                if sent is None:
                    for key, noted in batch.hints.items():
                        newer = self._wanted.hints.get(key, noted)
                        self._wanted.hints[key] = Noted(noted.at_ms, newer.moment)
                    self._wanted.ended.update(batch.ended)
                self._changed.notify_all()
            self._rest(RETRY_SECONDS if sent is None else PAUSE_SECONDS)


def _send(batch: Batch, client: redis.Redis) -> bool:
    pipeline = client.pipeline(transaction=False)
    for (kitchen, kind), noted in batch.hints.items():
        pipeline.publish(channel(kitchen), message(kind, *noted))
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
    """A hint for the screens of a kitchen, about what is committed already."""
    _publisher().publish(kitchen, kind)


def publish_on_commit(kitchen: str, kind: str = ORDERS) -> None:
    """A hint for the screens of a kitchen, as soon as this transaction is committed; none if it is rolled back."""
    transaction.on_commit(partial(publish, kitchen, kind))


def end_pairing_on_commit(kitchen: str, pairing: str) -> None:
    """As soon as this transaction is committed, the streams of a browser that has lost its screen end; `pairing` as in
    its tokens, empty where the screen had none."""
    publish_on_commit(kitchen, SCREENS)
    if pairing:
        transaction.on_commit(lambda: _publisher().end_pairing(kitchen, pairing))
