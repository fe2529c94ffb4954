"""Servers that stand still: alive, their sockets open, and nobody answers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

import psutil

from tests.chaos.scene import Scene

POSTGRES_SECONDS = 12.0
VALKEY_SECONDS = 10.0
BRIEF_SECONDS = 3.0


@contextlib.contextmanager
def frozen(processes: Callable[[], list[psutil.Process]]) -> Iterator[list[int]]:
    """Stops them (SIGSTOP) until the end of the block; yields their numbers.

    The parent is stopped first and they are looked for again: what it forked meanwhile stands still as well.
    """
    stopped: dict[int, psutil.Process] = {}
    try:
        while fresh := [one for one in processes() if one.pid not in stopped]:
            for process in sorted(fresh, key=lambda one: one.create_time()):
                stopped[process.pid] = process
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGSTOP)
        yield sorted(stopped)
    finally:
        for process in stopped.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


def freeze_postgres(scene: Scene) -> None:
    _freeze(scene, scene.stack.postgres, POSTGRES_SECONDS)


def freeze_valkey(scene: Scene) -> None:
    _freeze(scene, scene.stack.valkey, VALKEY_SECONDS)


def _freeze(scene: Scene, processes: Callable[[], list[psutil.Process]], seconds: float) -> None:
    # `make run` replaces a Valkey that doesn't answer; systemd and compose wait for it.
    with scene.stack.nobody_mends_servers(), frozen(processes) as numbers:
        scene.note(f"{len(numbers)} processes stood still")
        scene.stop.wait(BRIEF_SECONDS if scene.brief else seconds)
