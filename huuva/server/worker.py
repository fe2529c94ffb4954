"""One worker process: granian's RSGI server whose requests go to the gate, without an event loop in Python.

granian calls back from one thread of its own, for the head of a request and for each chunk of its body; asyncio in
between would cost a fifth of the time of a short request. This uses granian's internal classes, so requirements.in pins
its version; tests/test_web_server.py tests it as a whole.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from granian._granian import CallbackScheduler, RSGIWorker
from granian.server.common import WORKERS_METHODS
from granian.server.mp import WorkerProcess


class InlineLoop:
    """Replaces asyncio's loop: callbacks that granian schedules are called at once, in granian's thread."""

    @staticmethod
    def call_soon(callback: Callable[..., Any], *args: Any, context: Any = None) -> None:
        callback(*args)

    call_soon_threadsafe = call_soon


class GateScheduler(CallbackScheduler):
    """Called by granian with each new request."""

    __slots__ = ()

    def __new__(cls, loop: InlineLoop, receive: Callable[[Any], None]) -> GateScheduler:
        make: Any = super().__new__
        scheduler: GateScheduler = make(cls, loop, receive, None, None, None)
        return scheduler

    def __init__(self, loop: InlineLoop, receive: Callable[[Any], None]) -> None:
        self._schedule_fn = receive


@WorkerProcess.wrap_target
def serve_worker(
    worker_id: int,
    application: Any,
    sock: Any,
    ipc: Any,
    loop: Any,
    runtime_mode: Any,
    runtime_threads: int,
    runtime_blocking_threads: int | None,
    blocking_threads: int,
    blocking_threads_idle_timeout: int,
    backpressure: int,
    task_impl: Any,
    http_mode: Any,
    http1_settings: Any,
    http2_settings: Any,
    websockets: bool,
    static_path: Any,
    log_access_fmt: str | None,
    ssl_ctx: Any,
    scope_opts: dict[str, Any],
    metrics: Any,
) -> None:
    """granian's own target for RSGI, with the gate instead of the application. Returns when all is answered."""
    from granian._signals import set_sync_signals

    from huuva.server.bridge import Bridge
    from huuva.server.gate import Gate
    from huuva.server.pool import Pool
    from huuva.server.watchdog import Watchdog
    from huuva.server.workers import WEB_THREADS

    loop.close()
    bridge = Bridge(application)
    pool = Pool(bridge.respond, WEB_THREADS)
    gate = Gate(pool)
    Watchdog(gate, pool).start()

    def close_connections(number: int, frame: Any) -> None:
        bridge.closing = True

    signal.signal(signal.SIGUSR1, close_connections)
    stop = set_sync_signals()
    stopped = threading.Event()
    stop.add_cb(stopped.set)
    # Positional, and more arguments than granian's stub has.
    make: Any = RSGIWorker
    worker = make(
        worker_id,
        sock,
        ipc,
        *(runtime_threads, runtime_blocking_threads, blocking_threads, blocking_threads_idle_timeout),
        backpressure,
        *(http_mode, http1_settings, http2_settings, websockets),
        static_path,
        *ssl_ctx,
        metrics,
    )
    serve = getattr(worker, WORKERS_METHODS[runtime_mode][(sock[0] or sock[1]).is_uds()])
    inline = InlineLoop()
    serve(GateScheduler(inline, gate.receive), inline, stop)
    stopped.wait()
