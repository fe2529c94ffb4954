"""The wall clock is set back now and then; what was planned by the clock of before must not wait for that hour."""

import time
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from integrations.deliveries.schedule import JITTER, RESTS, RETRIES
from integrations.models import Sink

# Clocks of several machines differ by less; a smaller step is made up for by waiting.
STEP: Final = timedelta(seconds=2)
_LONGEST_REST: Final = max(RESTS) * (1 + JITTER)
# By the number of tries: how far ahead the next one can lie.
_PAUSES: Final = tuple(pause * (1 + JITTER) for pause in (timedelta(0), *RETRIES))


class StepWatch:
    """Tells whether the wall clock went back since the last look. The first look says yes: nobody knows."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def went_back(self, now: datetime) -> bool:
        return self._offset is None or self._ahead_of_monotonic(now) < self._offset - STEP.total_seconds()

    def note(self, now: datetime) -> None:
        self._offset = self._ahead_of_monotonic(now)

    @staticmethod
    def _ahead_of_monotonic(now: datetime) -> float:
        return now.timestamp() - time.monotonic()


step_watch: Final = StepWatch()


def shorten_waits(now: datetime) -> None:
    """What waits for longer than it can have been told to is due now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_delivery d SET next_attempt_at = %(now)s
            FROM unnest(%(attempts)s::int[], %(pauses)s::interval[]) AS p (attempts, pause)
            WHERE d.state = 1 AND d.attempts = p.attempts AND d.next_attempt_at > %(limit)s + p.pause
            """,
            {
                "now": now,
                "attempts": list(range(len(_PAUSES))),
                "pauses": list(_PAUSES),
                "limit": now + STEP,
            },
        )
    Sink.objects.filter(retry_at__gt=now + _LONGEST_REST + STEP).update(retry_at=now)
