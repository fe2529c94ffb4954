"""Keeps the parts of `make run` together: starts them, gathers what they write, starts again those that die."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from huuva.ops.start.orphans import TOKEN_VARIABLE, ProcessRegistry
from huuva.ops.start.process_logs import GATHER_SECONDS, Lines, PartLogs

# These give way where processors are few, at the start above all: people wait for web.
BACKGROUND: Final = frozenset({"worker", "beat"})
# A part that dies more often than so many times in so long is not started again.
MOST_DEATHS: Final = 5
DEATHS_SECONDS: Final = 60.0
# Parts that are stopped finish what is under way; after so long they are killed.
STOP_SECONDS: Final = 15.0


class Part:
    """One part: its process, and how often that has died lately."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self._command, self._environment = command, environment
        self._deaths: deque[float] = deque()

    def start(self) -> tuple[int, Lines]:
        """Returns its process's number, and what it writes."""
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A Ctrl-C in the terminal reaches the parts through us, in order. The session is a group, too.
            start_new_session=True,
        )
        return self.process.pid, Lines(cast(IO[bytes], self.process.stdout))

    def ended(self) -> int | None:
        """The exit code if it has ended; nothing that it started is left running then."""
        if self.process is None:
            return None
        # Not reaped yet, it keeps its number, which is the group's too.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.kill()
        code, self.process = self.process.wait(), None
        return code

    def died_too_often(self, now: float) -> bool:
        """Counts a death."""
        self._deaths.append(now)
        while now - self._deaths[0] > DEATHS_SECONDS:
            self._deaths.popleft()
        return len(self._deaths) > MOST_DEATHS

    def terminate(self) -> None:
        """Asks it to end. It alone, not its children: it tells them, when they have finished."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.process is not None:
            # Some systems refuse a group of which nobody runs any more.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class PartsManager:
    """Runs the parts until a signal comes, or until one of them can't be kept running."""

    def __init__(
        self,
        home: Path,
        registry: ProcessRegistry,
        on_started: Callable[[], None],
        on_ending: Callable[[], None] | None = None,
    ) -> None:
        self._logs = PartLogs(home / "log")
        self._family = registry
        self._on_started = on_started
        self._on_ending = on_ending
        self._parts: list[Part] = []
        self._selector = selectors.DefaultSelector()
        self._end_at: float | None = None
        self._kill = False
        self._failed: tuple[str, int] | None = None
        self.interrupted = False

    def add_part(self, name: str, command: list[str]) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", TOKEN_VARIABLE: self._family.token}
        if name in BACKGROUND:
            command = ["nice", "-n", "5", *command]
        self._logs.width = max(self._logs.width, len(name))
        self._parts.append(Part(name, command, environment))

    def failed_part(self) -> tuple[str, int] | None:
        """The part that died too often, and its last exit code."""
        return self._failed if not self.interrupted else None

    @property
    def ending(self) -> bool:
        return self.interrupted or self._failed is not None

    def loop(self) -> None:
        """Blocks until all parts have ended."""
        with self._woken_by_signals():
            for part in self._parts:
                self._start(part)
            self._on_started()
            while any(part.process for part in self._parts):
                self._wait()
                self._look()
        for key in list(self._selector.get_map().values()):
            self._read(key)  # their last words
        self._selector.close()
        self._logs.close()

    @contextmanager
    def _woken_by_signals(self) -> Iterator[None]:
        """Each signal makes `_wait` return: those that end us, and the death of a child."""
        reading, writing = socket.socketpair()
        for end in (reading, writing):
            end.setblocking(False)
        self._selector.register(reading, selectors.EVENT_READ)
        signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            self._selector.unregister(reading)
            reading.close()
            writing.close()

    def _on_signal(self, number: int, frame: Any) -> None:
        self._kill, self.interrupted = self.interrupted, True  # the second one is harder

    def _start(self, part: Part) -> None:
        pid, lines = part.start()
        self._family.note(pid)
        self._selector.register(lines, selectors.EVENT_READ, part.name)

    def _wait(self) -> None:
        """Until a part writes or ends, a signal comes, or it is time to kill."""
        left = None if self._end_at is None else max(0.1, self._end_at - time.monotonic())
        ready = self._selector.select(left)
        if ready:
            # What is written in one moment goes into the logs together: web writes a line for each order.
            time.sleep(GATHER_SECONDS)
        for key, _ in ready:
            self._read(key)

    def _read(self, key: selectors.SelectorKey) -> None:
        if key.data is None:  # a signal has woken us
            cast(socket.socket, key.fileobj).recv(4096)
            return
        lines = cast(Lines, key.fileobj)
        text = lines.read()
        if text:
            self._logs.write(key.data, text)
        if lines.at_end:
            self._selector.unregister(lines)
            lines.close()

    def _look(self) -> None:
        """After those that have ended, and after the time."""
        for part in self._parts:
            code = part.ended()
            if code is None or self._end_at is not None:
                continue
            if part.died_too_often(time.monotonic()):
                self._failed = (part.name, code)
                self._end()
            else:
                print(f"{part.name} ended with code {code}: it is started again.", file=sys.stderr)
                self._start(part)
        if self.interrupted and self._end_at is None:
            self._end()
        if self._kill or (self._end_at is not None and time.monotonic() > self._end_at):
            for part in self._parts:
                part.kill()

    def _end(self) -> None:
        self._end_at = time.monotonic() + STOP_SECONDS
        if self._on_ending is not None:
            self._on_ending()  # first: it uses the parts
        for part in self._parts:
            part.terminate()
