"""Runs the processes of `make run`: starts them, writes their logs, restarts those that die."""

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
from huuva.ops.start.process_logs import GATHER_SECONDS, LineBatcher, ProcessLogs

# These have lower priority: people wait for web, above all at the start.
BACKGROUND: Final = frozenset({"worker", "beat"})
# A process that dies more often than this in that time is not restarted.
MOST_DEATHS: Final = 5
DEATHS_SECONDS: Final = 60.0
# Stopped processes finish what they are doing; after this time they are killed.
STOP_SECONDS: Final = 15.0


class ManagedProcess:
    """One command: its process while it runs, and how often it has died lately."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self._command, self._environment = command, environment
        self._deaths: deque[float] = deque()

    def start(self) -> tuple[int, LineBatcher]:
        """Returns the process id, and its output."""
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal reaches the processes through us, in order. The session is also a group.
            start_new_session=True,
        )
        return self.process.pid, LineBatcher(cast(IO[bytes], self.process.stdout))

    def poll(self) -> int | None:
        """The exit code if it has ended; its children are then killed too."""
        if self.process is None:
            return None
        # Not reaped yet, it keeps its id, which is also the group's.
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.kill()
        code, self.process = self.process.wait(), None
        return code

    def count_death(self, now: float) -> bool:
        """Whether it has died too often."""
        self._deaths.append(now)
        while now - self._deaths[0] > DEATHS_SECONDS:
            self._deaths.popleft()
        return len(self._deaths) > MOST_DEATHS

    def terminate(self) -> None:
        """Ask it to end, but not its children: it ends them when they have finished."""
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.process is not None:
            # Some systems refuse a group whose processes have all ended.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class ProcessManager:
    """Runs its processes until a signal comes, or until one of them dies too often."""

    def __init__(
        self,
        home: Path,
        registry: ProcessRegistry,
        on_started: Callable[[], None],
        on_ending: Callable[[], None] | None = None,
    ) -> None:
        self._logs = ProcessLogs(home / "log")
        self._registry = registry
        self._on_started = on_started
        self._on_ending = on_ending
        self._processes: list[ManagedProcess] = []
        self._selector = selectors.DefaultSelector()
        self._end_at: float | None = None
        self._kill = False
        self._failed: tuple[str, int] | None = None
        self.interrupted = False

    def add_process(self, name: str, command: list[str]) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", TOKEN_VARIABLE: self._registry.token}
        if name in BACKGROUND:
            command = ["nice", "-n", "5", *command]
        self._logs.width = max(self._logs.width, len(name))
        self._processes.append(ManagedProcess(name, command, environment))

    def failed_process(self) -> tuple[str, int] | None:
        """The name of the process that died too often, and its last exit code."""
        return self._failed if not self.interrupted else None

    @property
    def ending(self) -> bool:
        return self.interrupted or self._failed is not None

    def loop(self) -> None:
        """Blocks until all processes have ended."""
        with self._woken_by_signals():
            for process in self._processes:
                self._start(process)
            self._on_started()
            while any(each.process for each in self._processes):
                self._wait()
                self._restart_or_end()
        for key in list(self._selector.get_map().values()):
            self._read(key)  # the rest of their output
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

    def _start(self, process: ManagedProcess) -> None:
        pid, lines = process.start()
        self._registry.add(pid)
        self._selector.register(lines, selectors.EVENT_READ, process.name)

    def _wait(self) -> None:
        """Until a process writes or ends, a signal comes, or it is time to kill."""
        left = None if self._end_at is None else max(0.1, self._end_at - time.monotonic())
        ready = self._selector.select(left)
        if ready:
            # Lines written at about the same time go into the log together: web writes one for each order.
            time.sleep(GATHER_SECONDS)
        for key, _ in ready:
            self._read(key)

    def _read(self, key: selectors.SelectorKey) -> None:
        if key.data is None:  # woken by a signal
            cast(socket.socket, key.fileobj).recv(4096)
            return
        lines = cast(LineBatcher, key.fileobj)
        text = lines.read()
        if text:
            self._logs.write(key.data, text)
        if lines.at_end:
            self._selector.unregister(lines)
            lines.close()

    def _restart_or_end(self) -> None:
        """Handle processes that have ended, signals and the time limit."""
        for process in self._processes:
            code = process.poll()
            if code is None or self._end_at is not None:
                continue
            if process.count_death(time.monotonic()):
                self._failed = (process.name, code)
                self._end()
            else:
                print(f"{process.name} ended with code {code}: it is started again.", file=sys.stderr)
                self._start(process)
        if self.interrupted and self._end_at is None:
            self._end()
        if self._kill or (self._end_at is not None and time.monotonic() > self._end_at):
            for process in self._processes:
                process.kill()

    def _end(self) -> None:
        self._end_at = time.monotonic() + STOP_SECONDS
        if self._on_ending is not None:
            self._on_ending()  # first: it uses the processes
        for process in self._processes:
            process.terminate()
