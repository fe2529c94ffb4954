"""What is done to the stack, one after the other, and how long it takes until all is well again."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from tests.chaos.disk import Disk
from tests.chaos.ledger import Ledger, now
from tests.chaos.rush import Rush
from tests.chaos.stack import Stack
from tests.chaos.watchers import Tasks, Wall

LOOK_SECONDS = 0.02
# After that something does not come back by itself.
RECOVERY_SECONDS = 90.0
# The disk stays full until somebody has felt it, and then a little longer; when nobody does, that is told.
DISK_FELT_SECONDS = 2.0
DISK_SECONDS = 40.0
FELT = ("503", "closed")


@dataclass
class Scene:
    """Everything that a fault may touch, and all that must work again afterwards."""

    stack: Stack
    disk: Disk
    rush: Rush
    screens: tuple[Wall, ...]
    tasks: Tasks
    ledger: Ledger
    rng: random.Random
    stop: Any  # a threading.Event: its `wait` is how a fault passes time


@dataclass(frozen=True)
class Fault:
    """`strike` returns when it is over (all dead, or the disk has room again): recovery counts from then on."""

    name: str
    what: str
    strike: Callable[[Scene], None]


@dataclass(frozen=True)
class Recovery:
    """Seconds until the first good answer to a change, board of each screen after a hint, and done task; None: not in
    time."""

    fault: str
    orders: float | None
    screens: float | None
    tasks: float | None
    answers: dict[str, int]

    @property
    def complete(self) -> bool:
        return None not in (self.orders, self.screens, self.tasks)


def suffer(fault: Fault, scene: Scene) -> Recovery:
    """Strikes, and waits until orders, screens and tasks work again."""
    ledger = scene.ledger
    before = {label: ledger.counted(label, fault.name) for label in _LABELS}
    ledger.phase = fault.name
    scene.tasks.only_beat = fault.name == "beat"
    fault.strike(scene)
    struck, struck_at = now(), time.time()
    found: dict[str, float] = {}
    looks: dict[str, Callable[[], bool]] = {
        "orders": lambda: ledger.changes_since(struck),
        "screens": lambda: all(screen.good_at > struck for screen in scene.screens),
        "tasks": lambda: scene.tasks.done_since(struck_at),
    }
    while len(found) < len(looks) and now() - struck < RECOVERY_SECONDS:
        for name, is_good in looks.items():
            if name not in found and is_good():
                found[name] = round(now() - struck, 2)
        scene.stop.wait(LOOK_SECONDS)
    scene.tasks.only_beat = False
    answers = {label: ledger.counted(label, fault.name) - before[label] for label in _LABELS}
    recovery = Recovery(fault.name, found.get("orders"), found.get("screens"), found.get("tasks"), answers)
    for name in looks.keys() - found:
        ledger.complain(f"{name} did not work again within {RECOVERY_SECONDS:.0f} s")
    return recovery


_LABELS = ("2xx", "409", "429", "503", "closed", "reset")


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=10)


def _one(scene: Scene, processes: list[psutil.Process]) -> list[psutil.Process]:
    ordered = sorted(processes, key=lambda process: process.pid)
    return [scene.rng.choice(ordered)] if ordered else []


def _part(name: str) -> Callable[[Scene], None]:
    return lambda scene: scene.stack.parts[name].kill()


def _web_worker(scene: Scene) -> None:
    _kill(_one(scene, scene.stack.web_workers()))


def _valkey(scene: Scene) -> None:
    _kill(scene.stack.valkey())


def _postgres(scene: Scene) -> None:
    _kill(scene.stack.postgres())


def _postgres_backend(scene: Scene) -> None:
    serving = []
    for process in scene.stack.postgres():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] and process.cmdline()[0].startswith("postgres: huuva huuva"):
                serving.append(process)
    _kill(_one(scene, serving))


def _connections(scene: Scene) -> None:
    with contextlib.suppress(psycopg.OperationalError), scene.stack.database() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def _resets(scene: Scene) -> None:
    for _ in range(3):
        scene.rush.reset_connections(scene.rng)
        scene.stop.wait(0.3)


def _disk(scene: Scene) -> None:
    def felt() -> int:
        return sum(scene.ledger.counted(label, "disk") for label in FELT)

    before, began = felt(), now()
    scene.disk.fill()
    try:
        while felt() == before and now() - began < DISK_SECONDS:
            scene.stop.wait(LOOK_SECONDS)
        scene.stop.wait(DISK_FELT_SECONDS)
    finally:
        scene.disk.free()
    if felt() == before:
        scene.ledger.complain(f"the full disk was not felt within {DISK_SECONDS:.0f} s")


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("web-worker", "kill -9 of one web worker", _web_worker),
        Fault("web", "kill -9 of web with all its workers", _part("web")),
        Fault("live", "kill -9 of live", _part("live")),
        Fault("worker", "kill -9 of the Celery worker", _part("worker")),
        Fault("beat", "kill -9 of beat", _part("beat")),
        Fault("valkey", "kill -9 of Valkey, which loses all that it held", _valkey),
        Fault("postgres", "kill -9 of PostgreSQL, all its processes", _postgres),
        Fault("postgres-backend", "kill -9 of one PostgreSQL backend", _postgres_backend),
        Fault("connections", "pg_terminate_backend of every connection", _connections),
        Fault("resets", "TCP resets of the clients' connections", _resets),
        Fault("disk", "the database's disk is full", _disk),
    )
}
