"""granian's processes. The parent keeps the sockets from which they accept, so that a reload refuses nobody."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from granian.net import SocketSpec
from granian.server.common import logger
from granian.server.mp import MPServer

# A worker's threads share one interpreter, so more threads only wait more; each holds a database connection.
WEB_THREADS: Final = 4
# A new worker imports the application before the old one ends.
READY_SECONDS: Final = 60.0
# For this time an old worker asks clients to reconnect, before it closes idle connections.
CLOSING_SECONDS: Final = 3.0
# For this time it may finish its requests.
FINISH_SECONDS: Final = 30.0


class WebServer(MPServer):
    """granian with sockets that outlive workers, and a reload (SIGHUP) that waits for the new worker and lets the old
    one finish."""

    streams = False

    def _init_shared_socket(self) -> None:
        # A socket for each worker, among which Linux spreads connections evenly: from one for all, a worker that is
        # awake takes most of them. granian would open them in the workers, and lose what waits when one closes.
        spec: Any = SocketSpec(self.bind_addr, self.bind_port, self.backlog)
        self._ssp = self._sso = None
        self._sockets = [spec.build() for _ in range(self.workers if sys.platform == "linux" else 1)]
        for holder in self._sockets:
            os.set_inheritable(holder.get_fd(), True)

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Callable[[], Any]) -> Any:  # type: ignore[override]
        self._shd = self._sockets[idx % len(self._sockets)]
        ready = multiprocessing.Event()
        spawn: Any = super()._spawn_worker
        worker = spawn(idx, target, partial(_load, callback_loader, ready))
        worker.ready = ready
        return worker

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        for idx in workers:
            old = self.wrks[idx]
            self.respawned_wrks[idx] = time.monotonic()
            new = self._spawn_worker(idx, spawn_target, target_loader)
            new.start()
            if old.is_alive() and not _is_ready(new):
                logger.error("The new worker does not start; the old one goes on.")
                new.kill()
                new.join()
                continue
            self.wrks[idx] = new
            if old.is_alive():
                self._finish(old)

    def _finish(self, worker: Any) -> None:
        """Ends a worker when it has finished its requests; streams never finish, their screens reconnect."""
        if not self.streams:
            os.kill(worker._id(), signal.SIGUSR1)
            time.sleep(CLOSING_SECONDS)
        worker.terminate()
        worker.join(self.workers_kill_timeout if self.streams else FINISH_SECONDS)
        if worker.is_alive():
            worker.kill()
            worker.join()


def _is_ready(worker: Any) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and worker.is_alive():
        if worker.ready.wait(0.1):
            return True
    return False


def _load(loader: Callable[[], Any], ready: Any) -> Any:
    application = loader()
    ready.set()
    return application
