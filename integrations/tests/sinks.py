"""Turns of the loop for tests."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from integrations.deliveries.loop import Loop
from integrations.deliveries.progress import hold
from integrations.deliveries.sending import Sender
from integrations.models import Delivery, Sink
from tests.receiver import ReceivedRequest


@contextmanager
def running(me: str = "me") -> Iterator[Loop]:
    assert hold(me)
    with Sender() as sender:
        yield Loop(me, sender, poll_seconds=0.02)


def turn_until(loop: Loop, done: Callable[[], Any], seconds: float = 60) -> None:
    """Turns the loop until `done`, which is asked after each turn."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, list(Delivery.objects.values("event_type", "order_id", "state", "log"))
        loop.turn()


def work_off(loop: Loop, seconds: float = 60) -> None:
    """Turns the loop until nothing is due or in flight any more."""
    end = time.monotonic() + seconds
    while loop.turn() or loop.in_flight or due():
        assert time.monotonic() < end, list(Delivery.objects.values("event_type", "order_id", "state", "log"))


def due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM integrations_delivery d JOIN integrations_sink s ON s.id = d.sink_id "
            "WHERE d.state = 1 AND d.next_attempt_at <= now() AND s.disabled_at IS NULL "
            "AND (s.retry_at IS NULL OR s.retry_at <= now()) AND NOT EXISTS (SELECT FROM integrations_delivery b "
            "WHERE b.order_id = d.order_id AND b.sink_id = d.sink_id AND b.state = 1 AND b.sequence < d.sequence))"
        )
        return bool(cursor.fetchone()[0])


def no_waiting() -> None:
    """The next tries are due now: time has passed."""
    Delivery.objects.filter(state=Delivery.State.WAITING).update(next_attempt_at="2000-01-01T00:00Z")
    Sink.objects.update(retry_at=None)


def told(heard: list[ReceivedRequest], only_answered: str = "ok") -> list[tuple[str, int]]:
    bodies = [json.loads(one.body) for one in heard if one.answered == only_answered]
    return [(body["type"], body["sequence"]) for body in bodies]
