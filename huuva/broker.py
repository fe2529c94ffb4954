"""Valkey as Celery's broker: the worker outlives it when it goes away while tasks are under way.

kombu 5.7 doesn't: it tries to hand unfinished tasks back to the broker that is away, and to acknowledge finished ones
by the connection that was lost; either is an AttributeError, which ends the worker, and with it `make run`. Neither is
needed: Valkey has forgotten these tasks, and beat sends everything again.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis


class ForgivingQoS(redis.QoS):
    """What a channel has handed out and not yet heard of."""

    # Neither when a connection is given up.
    restore_at_shutdown = False

    def ack(self, delivery_tag: Any) -> None:
        if not self._is_lost():
            super().ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        if not self._is_lost():
            super().reject(delivery_tag, requeue)

    def _is_lost(self) -> bool:
        return self.channel.closed or self.channel.connection is None


def survive_its_loss() -> None:
    """For this process, which must not have made a connection yet."""
    redis.Channel.QoS = ForgivingQoS
