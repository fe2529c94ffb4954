"""Valkey as Celery's broker: the worker outlives it when it goes away while tasks are under way, and outlives messages
that nobody can read.

kombu 5.7 doesn't. It tries to hand unfinished tasks back to the broker that is away, and to acknowledge finished ones
by the connection that was lost; either is an AttributeError, which ends the worker. Neither is needed: Valkey has
forgotten these tasks, and beat sends everything again. And a message that isn't JSON, or isn't an envelope of Celery's,
raises in the middle of the consumer's event loop: the consumer ends for good.
"""

from __future__ import annotations

import time
from typing import Any, Final

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import DataError

log = structlog.get_logger(__name__)

# What reading a damaged message raises. Errors of the connection are others, and rise.
UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    DataError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_taken_at = time.monotonic()
_stopping = False


def taken_at() -> float:
    """When this process last took a message from the queue, readable or not, by the monotonic clock."""
    return _taken_at


def give_back_at_the_end() -> None:
    """From now on a channel that is closed hands back what was taken and not begun: the worker is being stopped."""
    global _stopping
    _stopping = True


class ForgivingQoS(redis.QoS):
    """What a channel has handed out and not yet had acknowledged."""

    @property
    def restore_at_shutdown(self) -> bool:  # type: ignore[override]
        # Not when a connection is given up: the tasks may be running still. (One that closes counts as closed.)
        return _stopping and self.channel.connection is not None

    def ack(self, delivery_tag: Any) -> None:
        if not self._is_lost():
            super().ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        if not self._is_lost():
            super().reject(delivery_tag, requeue)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        try:
            super().restore_by_tag(tag, client=client, leftmost=leftmost)
        except UNREADABLE as error:
            _log_dropped(error)
            self._remove_from_indices(tag).execute()

    def _is_lost(self) -> bool:
        return self.channel.closed or self.channel.connection is None


class TolerantChannel(redis.Channel):
    """Drops what can't be read, with a line in the log, and goes on with the next message."""

    QoS = ForgivingQoS

    def _brpop_read(self, **options: Any) -> Any:
        global _taken_at
        try:
            taken = super()._brpop_read(**options)
        except UNREADABLE as error:  # no JSON
            _log_dropped(error)
            taken = True
        _taken_at = time.monotonic()
        return taken


class TolerantTransport(redis.Transport):
    Channel = TolerantChannel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)
        except UNREADABLE as error:  # JSON, but no envelope
            _log_dropped(error)
            self._forget(message)

    def _forget(self, message: Any) -> None:
        """Else it would come again after the visibility timeout."""
        try:
            tag = message["properties"]["delivery_tag"]
        except UNREADABLE:
            return  # It was never noted.
        if isinstance(tag, str):
            for channel in self.channels:
                channel.basic_reject(tag, requeue=False)


def _log_dropped(error: BaseException) -> None:
    # Never the message itself: nobody knows what is in it.
    log.error("message_unreadable", error=type(error).__name__, exc_info=error)


def survive_trouble() -> None:
    """For this process, which must not have made a connection yet."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{TolerantTransport.__name__}"
