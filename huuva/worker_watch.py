"""The watch of a worker: a thread that looks after its companions, and ends it when it stands still.

A worker whose consumer is gone looks alive: its processes run, and nothing is done. Whoever supervises it (compose,
systemd, `make run`) starts it again, so ending is the remedy. Valkey being away is not the worker's fault, and ends
nothing.
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

# A worker that stands still for so long is ended.
PATIENCE_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 1.0
# How often Valkey is asked what waits.
ASK_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 2.0
EXIT_CODE: Final = 1

_asked_to_stop = threading.Event()


def stop_watching() -> None:
    """Somebody has asked the worker to stop, and sees to it that it does: tasks under way may take their time."""
    _asked_to_stop.set()


class StandingStill:
    """Tells whether a worker stands still. Moments are those of the monotonic clock."""

    def __init__(self, now: float) -> None:
        self.turned_at = now
        self._loop_since = self._queue_since = now

    def turned(self) -> None:
        """The event loop of the main process is running."""
        self.turned_at = time.monotonic()

    def reason(self, now: float, *, waiting: int | None, taken_at: float, busy: bool) -> str | None:
        """Why the worker must end, if it must.

        `waiting`: messages in the queue, None where Valkey does not answer. `busy`: all places have a task, so that
        others rightly wait; a task that hangs is ended by its time limit.
        """
        if waiting is None:
            self._loop_since = self._queue_since = now
            return None
        self._loop_since = max(self._loop_since, self.turned_at)
        if waiting == 0 or busy:
            self._queue_since = now
        self._queue_since = max(self._queue_since, taken_at)
        if now - self._loop_since > PATIENCE_SECONDS:
            return "its event loop does not turn"
        if now - self._queue_since > PATIENCE_SECONDS:
            return "it takes no tasks"
        return None


class Watch(bootsteps.StartStopStep):
    """The step of Celery's worker that starts all this and ends it."""

    # The pool's processes are forked before there is a second thread.
    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._companions: list[Companion] = []

    def start(self, worker: Any) -> None:
        self._worker = worker
        self._still = StandingStill(time.monotonic())
        self._companions = companions()
        for companion in self._companions:
            companion.start()
        worker.timer.call_repeatedly(LOOK_SECONDS, self._still.turned)
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def close(self, worker: Any) -> None:
        broker.give_back_at_the_end()
        for companion in self._companions:
            companion.ask_to_end()

    def stop(self, worker: Any) -> None:
        for companion in self._companions:
            companion.end()

    def terminate(self, worker: Any) -> None:
        """As `stop`, without waiting for tasks: the processes of the pool ignore the signal that would end them."""
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
                # Such as no memory for a fork: the next look may go better, and without any nobody would notice.
                log.exception("watch_failed")

    def _look(self, client: redis.Redis) -> None:
        waiting = _waiting(client, self._worker.app.conf.task_default_queue)
        busy = len(state.active_requests) >= self._worker.concurrency
        reason = self._still.reason(time.monotonic(), waiting=waiting, taken_at=broker.taken_at(), busy=busy)
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
    # Not sys.exit: whatever the main thread hangs in would not hear of it.
    os._exit(EXIT_CODE)


def _kill_children() -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
