"""A backup each day, for containers: they have no systemd."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from types import FrameType
from typing import Final

from django.utils import timezone

DAY: Final = timedelta(days=1)
# After a backup that failed.
RETRY: Final = timedelta(hours=1)
# The clock may be set, and the machine may sleep: it is read again after this time.
LOOK_SECONDS: Final = 60.0


def next_run(now: datetime, at: time_of_day) -> datetime:
    """The next time after `now` that is `at` in its time zone."""
    today = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    return today if today > now else today + DAY


def run_daily(
    at: time_of_day,
    make: Callable[[], bool],
    last_success: datetime | None,
    *,
    clock: Callable[[], datetime] = timezone.now,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Makes a backup each day at that time of UTC until the process ends. `make` returns whether it succeeded: after a
    failure it is called again in an hour. An overdue backup, for example after the machine was off, is made at once."""
    now = clock()
    due = next_run(now, at) if last_success is not None and now - last_success < DAY else now
    while True:
        while (left := (due - clock()).total_seconds()) > 0:
            sleep(min(left, LOOK_SECONDS))
        succeeded = make()
        now = clock()
        due = next_run(now, at) if succeeded else min(next_run(now, at), now + RETRY)


def end_on_sigterm() -> None:
    """SIGTERM ends the process by an exception, so that a running backup ends its program and removes its file."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
