"""When a failed delivery is tried again, and how long a failing sink rests."""

import random
from datetime import timedelta
from typing import Final

# Before the second try, the third, and so on; then the delivery is given up.
RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
# So that what failed together does not come back together.
JITTER: Final = 0.2
# A sink that has failed so often in a row rests, and is then tried with one delivery at a time.
FAILURES_TO_REST: Final = 3
RESTS: Final = RETRIES[:4]
FAILING_DISABLES: Final = timedelta(days=5)


def _jittered(pause: timedelta) -> timedelta:
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  (no secret)


def pause_after(attempts: int) -> timedelta | None:
    """The pause after so many failed tries; None: no more tries."""
    return _jittered(RETRIES[attempts - 1]) if attempts <= len(RETRIES) else None


def rest_after(failures: int) -> timedelta | None:
    """How long a sink rests after so many failures in a row; None: not at all."""
    if failures < FAILURES_TO_REST:
        return None
    return _jittered(RESTS[min(failures - FAILURES_TO_REST, len(RESTS) - 1)])
