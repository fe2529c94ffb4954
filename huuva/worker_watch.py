"""The watch of a worker: a thread that supervises its companions, and ends the worker when it hangs.

A worker whose consumer has ended looks alive: its processes run, but do nothing. Its supervisor (compose, systemd,
`make run`) restarts it, so ending it is the remedy. While Valkey is away, nothing is ended.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, Final

import psutil
import redis
import structlog
from celery import bootsteps
from celery.worker import state
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.companions import Companion, companions
from huuva import broker

log = structlog.get_logger(__name__)

# A worker that hangs this long is ended.
PATIENCE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 1.0
# How often Valkey is asked for the length of the queue.
ASK_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 2.0
EXIT_CODE: Final = 1

_asked_to_stop = threading.Event()


def stop_watching() -> None:
    """The worker was asked to stop: from now on running tasks may take their time."""
    _asked_to_stop.set()


class HangDetector:
    """Detects that a worker hangs. All times are monotonic."""

    def __init__(self, now: float) -> None:
        self.loop_ran_at = now
        self._loop_since = self._queue_since = now

    def loop_ran(self) -> None:
        """Called by the event loop of the main process."""
        self.loop_ran_at = time.monotonic()

    def reason(self, now: float, *, waiting: int | None, taken_at: float, busy: bool) -> str | None:
        """Why the worker must end, if it must.

        `waiting`: messages in the queue, None if Valkey does not answer. `busy`: all processes have a task, so waiting
        messages are normal; a task that hangs is ended by its time limit.
        """
        if waiting is None:
            self._loop_since = self._queue_since = now
            return None
        self._loop_since = max(self._loop_since, self.loop_ran_at)
        if waiting == 0 or busy:
            self._queue_since = now
        self._queue_since = max(self._queue_since, taken_at)
        if now - self._loop_since > PATIENCE_SECONDS:
            return "its event loop does not run"
        if now - self._queue_since > PATIENCE_SECONDS:
            return "it takes no tasks"
        return None


class Watch(bootsteps.StartStopStep):
    """The step of Celery's worker that starts and ends the watch and the companions."""

    # After the pool: its processes must be forked before there is a second thread.
    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._companions: list[Companion] = []

    def start(self, worker: Any) -> None:
        self._worker = worker
        self._detector = HangDetector(time.monotonic())
        self._companions = companions()
        for companion in self._companions:
            companion.start()
        worker.timer.call_repeatedly(LOOK_SECONDS, self._detector.loop_ran)
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def close(self, worker: Any) -> None:
        broker.restore_at_shutdown()
        for companion in self._companions:
            companion.ask_to_end()

    def stop(self, worker: Any) -> None:
        for companion in self._companions:
            companion.end()

    def terminate(self, worker: Any) -> None:
        """Like `stop`, without waiting for tasks: the pool's processes ignore SIGTERM, so they are killed."""
        self.stop(worker)
        _kill_children()

    def _run(self) -> None:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        ask_at = 0.0
        while not _asked_to_stop.wait(LOOK_SECONDS):
            try:
                for companion in self._companions:
                    companion.look(time.monotonic())
                if time.monotonic() >= ask_at:
                    self._look(client)
                    ask_at = time.monotonic() + ASK_SECONDS
            except Exception:
                # For example no memory for a fork: the next look may succeed. Without the watch, hangs go unnoticed.
                log.exception("watch_failed")

    def _look(self, client: redis.Redis) -> None:
        waiting = _waiting(client, self._worker.app.conf.task_default_queue)
        busy = len(state.active_requests) >= self._worker.concurrency
        reason = self._detector.reason(
            time.monotonic(), waiting=waiting, taken_at=broker.taken_at(), busy=busy
        )
        if reason is not None:
            _end_worker(reason)


def _waiting(client: redis.Redis, queue: str) -> int | None:
    try:
        return int(client.llen(queue))
    except (redis.RedisError, OSError):
        return None


def _end_worker(reason: str) -> None:
    main = sys._current_frames().get(threading.main_thread().ident or 0)
    log.critical(
        "worker_stands_still", reason=reason, at="".join(traceback.format_stack(main)) if main else ""
    )
    _kill_children()
    # Not sys.exit: it would not end a main thread that hangs.
    os._exit(EXIT_CODE)


def _kill_children() -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
