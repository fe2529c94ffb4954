"""When a failed delivery is tried again and how long a failing receiver rests, also after the clock was set back."""

import random
import time
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from integrations.models import Delivery, Sink

# Before the second attempt, the third, and so on; then the delivery is given up.
RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
# So that deliveries that failed together are not tried again together.
JITTER: Final = 0.2
# After so many failures in a row a receiver rests, and is then tried with one delivery at a time.
FAILURES_TO_REST: Final = 3
RESTS: Final = RETRIES[:4]
FAILING_DISABLES: Final = timedelta(days=5)
# Clocks of several machines differ by less than this; after a smaller step back, waiting is enough.
CLOCK_STEP: Final = timedelta(seconds=2)
_LONGEST_REST: Final = max(RESTS) * (1 + JITTER)
# By the number of attempts: how far ahead the next one can be planned.
_LONGEST_PAUSES: Final = tuple(pause * (1 + JITTER) for pause in (timedelta(0), *RETRIES))


def pause_after(attempts: int) -> timedelta | None:
    """The pause after so many failed attempts; None: no more attempts."""
    return _jittered(RETRIES[attempts - 1]) if attempts <= len(RETRIES) else None


def rest_after(failures: int) -> timedelta | None:
    """How long a receiver rests after so many failures in a row; None: not at all."""
    if failures < FAILURES_TO_REST:
        return None
    return _jittered(RESTS[min(failures - FAILURES_TO_REST, len(RESTS) - 1)])


def _jittered(pause: timedelta) -> timedelta:
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  (no secret)


class ClockWatch:
    """Notices whether the wall clock was set back since the last check. The first check says yes: nobody knows."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def went_back(self, now: datetime) -> bool:
        return self._offset is None or _ahead_of_monotonic(now) < self._offset - CLOCK_STEP.total_seconds()

    def note(self, now: datetime) -> None:
        self._offset = _ahead_of_monotonic(now)


def _ahead_of_monotonic(now: datetime) -> float:
    return now.timestamp() - time.monotonic()


clock_watch: Final = ClockWatch()


def shorten_waits(now: datetime) -> None:
    """Make due now whatever waits for longer than it can have been planned: the clock was set back."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE integrations_delivery d SET next_attempt_at = %(now)s
            FROM unnest(%(attempts)s::int[], %(pauses)s::interval[]) AS p (attempts, pause)
            WHERE d.state = {Delivery.State.WAITING:d} AND d.attempts = p.attempts
              AND d.next_attempt_at > %(limit)s + p.pause
            """,  # noqa: S608  (a number of ours)
            {
                "now": now,
                "attempts": list(range(len(_LONGEST_PAUSES))),
                "pauses": list(_LONGEST_PAUSES),
                "limit": now + CLOCK_STEP,
            },
        )
    Sink.objects.filter(retry_at__gt=now + _LONGEST_REST + CLOCK_STEP).update(retry_at=now)
