"""Valkey as Celery's broker: the worker survives its outages, also while tasks are running, and unreadable messages.

kombu 5.7 doesn't. It tries to return unfinished tasks to the broker that is away, and to acknowledge finished ones on
the lost connection; either raises AttributeError, which ends the worker. Neither is needed: Valkey has lost these
tasks, and beat sends everything again. And a message that isn't JSON, or isn't Celery's envelope, raises inside the
consumer's event loop, which ends the consumer for good.
"""

from __future__ import annotations

import time
from typing import Any, Final

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import DataError

log = structlog.get_logger(__name__)

# Errors of reading a damaged message. Errors of the connection are others, and are raised.
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
    """Monotonic time at which this process last took a message from the queue, readable or not."""
    return _taken_at


def restore_at_shutdown() -> None:
    """The worker is being stopped: a channel that is closed now returns messages whose tasks have not started."""
    global _stopping
    _stopping = True


class ForgivingQoS(redis.QoS):
    """The messages of a channel that are not acknowledged yet."""

    @property
    def restore_at_shutdown(self) -> bool:  # type: ignore[override]
        # Not when a connection is given up: its tasks may still be running. (One that is closing counts as closed.)
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
    """Drops unreadable messages, with a line in the log, and continues with the next one."""

    QoS = ForgivingQoS

    def _brpop_read(self, **options: Any) -> Any:
        global _taken_at
        try:
            got_message = super()._brpop_read(**options)
        except UNREADABLE as error:  # no JSON
            _log_dropped(error)
            got_message = True
        _taken_at = time.monotonic()
        return got_message


class TolerantTransport(redis.Transport):
    Channel = TolerantChannel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)
        except UNREADABLE as error:  # JSON, but no envelope
            _log_dropped(error)
            self._reject(message)

    def _reject(self, message: Any) -> None:
        """Otherwise it would be delivered again after the visibility timeout."""
        try:
            tag = message["properties"]["delivery_tag"]
        except UNREADABLE:
            return  # It was never recorded.
        if isinstance(tag, str):
            for channel in self.channels:
                channel.basic_reject(tag, requeue=False)


def _log_dropped(error: BaseException) -> None:
    # Never the message itself: it may contain anything.
    log.error("message_unreadable", error=type(error).__name__, exc_info=error)


def use_tolerant_transport() -> None:
    """Call it before this process makes its first connection."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{TolerantTransport.__name__}"
