"""Processes that run beside a test, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 10


def in_background(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Starts it in a session of its own, so that `kill_group` reaches all that it starts; its output is added to the
    log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends it and its children without a word, as a machine that loses power does."""
    if process.returncode is None:  # else nobody keeps its number for it any more
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


class Service:
    """A server in a process group of its own, so that what it leaves behind can be ended with it."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        # Of the next start, a supervisor's too.
        self.environment = environment
        self._command = command
        self._turn = threading.RLock()  # of a supervisor, or who else starts and stops it
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = in_background(self._command, self.environment, self.log)

    def start_if_dead(self) -> bool:
        with self._turn:
            if self._process is None or self._process.poll() is None:
                return False
            self.signal_group(signal.SIGKILL)
            self.start()
            return True

    def restart(self) -> None:
        """Stops it in good order and starts it again."""
        with self._turn:
            self.stop()
            self.start()

    def kill(self) -> None:
        """kill -9 of all its processes at once."""
        with self._turn:
            self.signal_group(signal.SIGKILL)
            if self._process is not None:
                self._process.wait()

    def children(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def send_signal(self, number: signal.Signals) -> None:
        """To the process that a service manager knows, and to none of its children."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def signal_group(self, number: signal.Signals) -> None:
        # The group is there as long as any of its processes is.
        with suppress(ProcessLookupError):
            if self._process is not None:
                os.killpg(self._process.pid, number)


def wait_until(
    condition: Callable[[], object],
    seconds: float,
    what: str | Path,
    process: subprocess.Popen[bytes] | None = None,
) -> None:
    """Fails where the time is over or `process` has ended. `what` is shown then: a text, or the end of a log."""

    def shown() -> str:
        return what if isinstance(what, str) else what.read_text(errors="replace")[-4000:]

    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, f"the process ended: {shown()}"
        assert time.monotonic() < deadline, f"not in {seconds} s: {shown()}"
        time.sleep(0.05)


def answers(url: str, seconds: float = 30) -> bool:
    """Whether it answers with 200."""
    try:
        with urlopen(url, timeout=seconds) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def metric(url: str, name: str) -> float:
    """What `/metrics` at this address says under that name, labels included."""
    with urlopen(f"{url}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")))
