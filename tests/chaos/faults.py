"""What is done to the stack, one after the other, and how long it takes until all is well again."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import psycopg

from tests.chaos.client import TIMEOUT_SECONDS
from tests.chaos.clock import ClockFault
from tests.chaos.context import LOOK_SECONDS, Fault, FaultContext
from tests.chaos.frozen import freeze_postgres, freeze_valkey
from tests.chaos.ledger import now
from tests.chaos.poison import poison
from tests.chaos.reloading import reload_web
from tests.chaos.stalling import stall_feed
from tests.chaos.uploads import upload_files

# The disk stays full until somebody has felt it, and then a little longer; when nobody does, that is a complaint.
DISK_FELT_SECONDS = 2.0
DISK_SECONDS = 40.0
FELT = ("503", "closed")
LABELS = ("2xx", "409", "429", "503", "closed", "reset", "hung")


@dataclass(frozen=True)
class Recovery:
    """Seconds until the first good answer to a change, board of each screen after a hint, done task and webhook; None: not
    in time. `longest`: seconds of the slowest call meanwhile, `alive` of the slowest answer of /livez."""

    fault: str
    orders: float | None
    screens: float | None
    tasks: float | None
    webhooks: float | None
    longest: float
    alive: float
    answers: dict[str, int]
    notes: list[str]

    @property
    def complete(self) -> bool:
        return None not in (self.orders, self.screens, self.tasks, self.webhooks)


def suffer(fault: Fault, context: FaultContext) -> Recovery:
    """Strikes, and waits until orders, screens, tasks and webhooks work again."""
    ledger = context.ledger
    before = {label: ledger.counted(label, fault.name) for label in LABELS}
    noted = len(context.notes[fault.name])
    ledger.phase = fault.name
    context.tasks.only_beat = fault.only_beat
    for one in context.liveness:
        one.must_answer = fault.alive
    try:
        fault.strike(context)
        seen = context.until_signs(context.signs_since(now(), time.time()))
        answers = {label: ledger.counted(label, fault.name) - before[label] for label in LABELS}
    finally:
        context.tasks.only_beat = False
        for one in context.liveness:
            one.must_answer = False
        if fault.after is not None:
            fault.after(context)
    longest = ledger.slowest.get(fault.name, 0.0)
    alive = max(one.slowest.get(fault.name, 0.0) for one in context.liveness)
    for label in fault.without:
        if answers[label]:
            ledger.complain(f"{answers[label]} calls got {label}, expected none")
    if fault.longest is not None and longest > fault.longest:
        ledger.complain(f"a call took {longest:.1f} s, expected {fault.longest:.0f} s at most")
    return Recovery(
        fault.name,
        *(seen.get(name) for name in ("orders", "screens", "tasks", "webhooks")),
        round(longest, 2),
        round(alive, 2),
        answers,
        context.notes[fault.name][noted:],
    )


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)


def _one(context: FaultContext, processes: list[psutil.Process]) -> list[psutil.Process]:
    ordered = sorted(processes, key=lambda process: process.pid)
    return [context.rng.choice(ordered)] if ordered else []


def _part(name: str) -> Callable[[FaultContext], None]:
    return lambda context: context.stack.services[name].kill()


def _web_worker(context: FaultContext) -> None:
    _kill(_one(context, context.stack.web_workers()))


def _valkey(context: FaultContext) -> None:
    _kill(context.stack.valkey())


def _postgres(context: FaultContext) -> None:
    _kill(context.stack.postgres())


def _postgres_backend(context: FaultContext) -> None:
    serving = []
    for process in context.stack.postgres():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] and process.cmdline()[0].startswith("postgres: huuva huuva"):
                serving.append(process)
    _kill(_one(context, serving))


def _connections(context: FaultContext) -> None:
    with contextlib.suppress(psycopg.OperationalError), context.stack.database() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def _resets(context: FaultContext) -> None:
    for _ in range(3):
        context.rush.reset_connections(context.rng)
        context.stop.wait(0.3)


def _disk(context: FaultContext) -> None:
    def felt() -> int:
        return sum(context.ledger.counted(label, "disk") for label in FELT)

    before, began = felt(), now()
    context.disk.fill()
    try:
        while felt() == before and now() - began < DISK_SECONDS:
            context.stop.wait(LOOK_SECONDS)
        context.stop.wait(DISK_FELT_SECONDS)
    finally:
        context.disk.free()
    if felt() == before:
        context.ledger.complain(f"the full disk was not felt within {DISK_SECONDS:.0f} s")


_clock = ClockFault()
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("web-worker", "kill -9 of one web worker", _web_worker),
        Fault("web", "kill -9 of web with all its workers", _part("web")),
        Fault("live", "kill -9 of live", _part("live")),
        Fault("worker", "kill -9 of the Celery worker", _part("worker")),
        Fault("beat", "kill -9 of beat", _part("beat"), only_beat=True),
        Fault("valkey", "kill -9 of Valkey, which loses all that it held", _valkey),
        Fault("postgres", "kill -9 of PostgreSQL, all its processes", _postgres),
        Fault("postgres-backend", "kill -9 of one PostgreSQL backend", _postgres_backend),
        Fault("connections", "pg_terminate_backend of every connection", _connections),
        Fault("resets", "TCP resets of the clients' connections", _resets),
        Fault("disk", "the database's disk is full", _disk),
        Fault(
            "frozen-postgres",
            "SIGSTOP of PostgreSQL, all its processes, for a while",
            freeze_postgres,
            alive=True,
            without=("closed", "hung"),
            longest=TIMEOUT_SECONDS,
        ),
        Fault(
            "frozen-valkey",
            "SIGSTOP of Valkey for a while",
            freeze_valkey,
            alive=True,
            without=("503", "closed", "hung"),
            # Of its 10 s nobody waits for more than a timeout of a quarter of a second, now and then.
            longest=5.0,
        ),
        Fault(
            "poisoned-queue",
            "messages in the queue of tasks that nobody can read",
            poison,
            alive=True,
            without=("503", "closed", "hung"),
            only_beat=True,
        ),
        Fault(
            "stalled-feed",
            "a session that holds a transaction id",
            stall_feed,
            alive=True,
            without=("503", "closed", "hung"),
        ),
        Fault(
            "reload",
            "SIGHUP to web under load",
            reload_web,
            alive=True,
            without=("503", "closed", "hung"),
        ),
        Fault(
            "uploads",
            "files in multipart bodies, to everything that takes a body",
            upload_files,
            alive=True,
            without=("503", "closed", "hung"),
        ),
        Fault("clock", "the clock set back by an hour, and right again", _clock.strike, after=_clock.after),
    )
}
