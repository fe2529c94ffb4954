"""Beat's schedule on a clock that may be set back.

Celery counts from the wall clock at which a task was sent last, and keeps that over restarts. Set back by an hour, it
would send nothing for an hour, and after a restart neither.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog
from celery.beat import PersistentScheduler

log = structlog.get_logger(__name__)

# What was sent so far in the future was sent before the clock was set back; smaller steps are made up for by waiting.
AHEAD: Final = timedelta(seconds=2)


class SteadyScheduler(PersistentScheduler):
    """Takes what was sent in the future as sent now: each task then comes after its interval."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        self._forget_future()
        return super().tick(*args, **kwargs)

    def _forget_future(self) -> None:
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at - entry.default_now() > AHEAD]
        if not ahead:
            return
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        # The heap holds the times at which tasks were to come by the clock of before.
        self._heap = None
        log.warning("clock_set_back", tasks=len(ahead))
