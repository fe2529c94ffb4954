"""Servers that stand still: alive, their sockets open, and nobody answers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

import psutil

from tests.chaos.context import FaultContext

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


def freeze_postgres(context: FaultContext) -> None:
    _freeze(context, context.stack.postgres, POSTGRES_SECONDS)


def freeze_valkey(context: FaultContext) -> None:
    _freeze(context, context.stack.valkey, VALKEY_SECONDS)


def _freeze(context: FaultContext, processes: Callable[[], list[psutil.Process]], seconds: float) -> None:
    # `make run` replaces a Valkey that doesn't answer; systemd and compose wait for it.
    with context.stack.nobody_mends_servers(), frozen(processes) as numbers:
        context.note(f"{len(numbers)} processes stood still")
        context.stop.wait(BRIEF_SECONDS if context.brief else seconds)
