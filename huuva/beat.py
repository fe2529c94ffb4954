"""Beat's schedule, also when the clock is set back.

Celery counts from the wall-clock time at which it last sent a task, and stores that over restarts. If the clock is set
back by an hour, it would send nothing for an hour, even after a restart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog
from celery.beat import PersistentScheduler

log = structlog.get_logger(__name__)

# A task sent this far in the future was sent before the clock was set back. Smaller steps pass by waiting.
AHEAD: Final = timedelta(seconds=2)


class SteadyScheduler(PersistentScheduler):
    """Treats tasks sent in the future as sent now, so that each comes again after its interval."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        self._correct_future()
        return super().tick(*args, **kwargs)

    def _correct_future(self) -> None:
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at - entry.default_now() > AHEAD]
        if not ahead:
            return
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        # The heap has times by the clock before it was set back.
        self._heap = None
        log.warning("clock_set_back", tasks=len(ahead))
