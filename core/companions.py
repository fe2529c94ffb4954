"""Companions: processes beside a worker's pool, for work that never ends.

A companion is forked from the worker's main process, ends with it, and is started again when it dies or hangs.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final, NoReturn

import structlog
from celery import platforms
from django.db import connections

log = structlog.get_logger(__name__)

type Ended = Callable[[], bool]
type Work = Callable[[Ended], None]

# A companion that hasn't asked for this long whether to end is hanging.
PATIENCE_SECONDS: Final = 60.0
# At least this long between two starts, in case it dies at once.
RESTART_SECONDS: Final = 2.0
# Between the request to end and the kill.
END_SECONDS: Final = 5.0
# Signals whose handlers a fork inherits from the worker.
DEFAULT_SIGNALS: Final = (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)

_works: dict[str, Work] = {}


def register(name: str, work: Work) -> None:
    """Run `work` beside the tasks of each worker. It must call its argument often, and return when that is true."""
    _works[name] = work


class Companion:
    """One such process, as the worker's main process sees it."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self._work = work
        # Shared with the process: when it last asked, and whether it must end.
        self._shared = memoryview(mmap.mmap(-1, 16)).cast("d")
        self._pid = 0
        self._started_at = 0.0

    def start(self) -> None:
        self._started_at = self._shared[0] = time.monotonic()
        # Before the fork: two processes must not share a connection, nor write the same buffered text.
        connections.close_all()
        sys.stderr.flush()
        worker_pid = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._run(worker_pid)

    def look(self, now: float) -> None:
        """Start it again if it has died, or hangs."""
        if self._shared[1]:
            return
        if not self._is_alive():
            if now - self._started_at >= RESTART_SECONDS:
                log.error("companion_died", companion=self.name)
                self.start()
        elif now - self._shared[0] > PATIENCE_SECONDS:
            log.error("companion_hangs", companion=self.name, seconds=round(now - self._shared[0]))
            os.kill(self._pid, signal.SIGKILL)

    def ask_to_end(self) -> None:
        self._shared[1] = 1.0

    def end(self) -> None:
        """Wait until it has ended; kill it if that takes too long."""
        self.ask_to_end()
        deadline = time.monotonic() + END_SECONDS
        while self._is_alive():
            if time.monotonic() > deadline:
                log.warning("companion_killed", companion=self.name)
                os.kill(self._pid, signal.SIGKILL)
                return
            time.sleep(0.02)

    def _is_alive(self) -> bool:
        if not self._pid:
            return False
        pid, _ = os.waitpid(self._pid, os.WNOHANG)
        if pid:
            self._pid = 0
        return not pid

    def _run(self, worker_pid: int) -> NoReturn:
        """What the process runs."""
        code = 1
        try:
            # The worker says when to end; ignore signals to the whole group.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            for number in DEFAULT_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            # Ends it however the worker dies. Only Linux has this; elsewhere `ended` notices.
            platforms.set_pdeathsig("SIGKILL")

            def ended() -> bool:
                self._shared[0] = time.monotonic()
                return self._shared[1] != 0 or os.getppid() != worker_pid

            self._work(ended)
            code = 0
        except BaseException:
            log.exception("companion_failed", companion=self.name)
        finally:
            os._exit(code)


def companions() -> list[Companion]:
    return [Companion(name, work) for name, work in _works.items()]
