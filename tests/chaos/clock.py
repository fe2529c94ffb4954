"""The machine's clock set back by an hour while everything runs, and right again.

Parts, PostgreSQL and Valkey are started anew under libfaketime, which adds to the wall clock what stands in a file; the
monotonic clock goes on as it is, as the kernel's does when somebody sets the time. Clients keep the true time.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from huuva.ops.embedded import postgres, valkey
from huuva.ops.embedded.process import start
from tests.chaos.context import FaultContext
from tests.chaos.ledger import now
from tests.chaos.stack import Stack

HOUR = 3600
# How long the clock is wrong at least: timers of half a minute (beat, leases) come round.
WRONG_SECONDS = 35.0
BRIEF_SECONDS = 3.0
SHARED_MEMORY = Path("/dev/shm")
LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"


class NoFakeClock(RuntimeError):
    """libfaketime can't be used here. The message says why."""


def library() -> Path:
    """The library of the package `libfaketime`. Raises NoFakeClock."""
    # find_spec and not import: the package's own __init__ looks for the variables that we give to others.
    spec = importlib.util.find_spec("libfaketime")
    if spec is None or spec.origin is None:
        raise NoFakeClock("The package libfaketime is not installed: make env-dev.")
    path = Path(spec.origin).parent / LIBRARY
    if not path.exists():
        raise NoFakeClock(f"The package libfaketime has no library for {sys.platform}.")
    return path


class FakeClock:
    """What a process needs to have a clock that can be set; the file says how far it is from the true one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            # All processes see the step at once. A look at the file costs a few microseconds for each look at the clock.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: float) -> None:
        """From now on clocks are so far from the true time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+}\n")
        fresh.chmod(0o644)  # the servers run as another user
        fresh.replace(self._file)

    def check(self) -> None:
        """Raises NoFakeClock where the library doesn't work, as on another processor than it was built for."""
        self.set(-HOUR)
        before = time.time()
        result = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        self.set(0)
        try:
            back = before - float(result.stdout)
        except ValueError:
            raise NoFakeClock(f"Python doesn't start with libfaketime: {result.stderr[-300:]}") from None
        if not HOUR - 60 < back <= HOUR:
            raise NoFakeClock(f"libfaketime does nothing here: {result.stderr[-300:]}")


def starter(clock: FakeClock) -> Callable[..., Any]:
    """Starts a server as huuva.ops.embedded does, but under that clock."""
    words = ["/usr/bin/env", *(f"{name}={value}" for name, value in clock.environment.items())]

    def start_with_clock(argv: Sequence[str | Path], **others: Any) -> Any:
        return start([*words, *argv], **others)

    return start_with_clock


@contextlib.contextmanager
def servers_under(clock: FakeClock) -> Iterator[None]:
    """Inside, PostgreSQL and Valkey are started under that clock."""
    with (
        mock.patch.object(postgres, "start", starter(clock)),
        mock.patch.object(valkey, "start", starter(clock)),
    ):
        yield


def remove_leftovers(folder: Path = SHARED_MEMORY) -> None:
    """libfaketime's shared memory of processes that were killed; it is named after their numbers."""
    for path in folder.glob("*faketime_*"):
        number = path.name.rpartition("_")[2]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            path.unlink(missing_ok=True)


class ClockFault:
    """`strike` and `after` of one run: everything under a clock of ours, and back."""

    def __init__(self) -> None:
        self._servers = contextlib.ExitStack()
        self._clock: FakeClock | None = None

    def strike(self, context: FaultContext) -> None:
        try:
            clock = FakeClock(context.stack.home / "clock")
            clock.check()
        except NoFakeClock as reason:
            context.note(f"not done: {reason}")
            return
        self._clock = clock
        self._servers.enter_context(servers_under(clock))
        _start_anew(context.stack, clock.environment)
        self._wait(context, "under libfaketime", 0)
        clock.set(-HOUR)
        set_at = now()
        # What beat sends is done, not only what we send; in the suite nobody waits for its next turn.
        context.tasks.only_beat = not context.brief
        try:
            self._wait(context, "set back by an hour", -HOUR)
            context.stop.wait(
                max(0.0, (BRIEF_SECONDS if context.brief else WRONG_SECONDS) - (now() - set_at))
            )
            # Not only once: beat and the loop of deliveries go on.
            self._wait(context, f"{now() - set_at:.0f} s later", -HOUR)
        finally:
            clock.set(0)
            context.tasks.only_beat = False

    def after(self, context: FaultContext) -> None:
        self._servers.close()
        if self._clock is None:
            return
        names = self._clock.environment.keys()
        _start_anew(context.stack, dict.fromkeys(names))
        self._wait(context, "with the machine's own clock again", 0)
        remove_leftovers()

    def _wait(self, context: FaultContext, when: str, offset: float) -> None:
        took = context.until_signs(context.signs_since(now(), time.time() + offset))
        context.note(f"{when}: " + ", ".join(f"{name} {seconds} s" for name, seconds in took.items()))


def _start_anew(stack: Stack, environment: dict[str, str] | dict[str, None]) -> None:
    """Stops everything in good order and starts it again with these variables (None: without)."""
    for service in stack.services.values():
        for name, value in environment.items():
            if value is None:
                service.environment.pop(name, None)
            else:
                service.environment[name] = value
    with stack.nobody_mends_servers():
        valkey.stop_valkey(stack.home)
        postgres.stop_postgres(stack.home)
    for service in stack.services.values():
        service.restart()
