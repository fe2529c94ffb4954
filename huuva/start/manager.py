"""honcho, which keeps the parts of `make run` together."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from honcho.manager import Manager
from honcho.process import Popen, Process

from huuva.start.leftovers import TOKEN_VARIABLE, Family
from huuva.start.part_logs import Bundles, PartLogs

# These give way where processors are few, at the start above all: people wait for web.
BACKGROUND: Final = frozenset({"worker", "beat"})


class PartsManager(Manager):
    """honcho, with two changes: a second Ctrl-C is harder, and each started part is noted on disk."""

    def __init__(
        self,
        home: Path,
        family: Family,
        on_started: Callable[[], None],
        on_ending: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(printer=PartLogs(home / "log"))
        self._process_ctor = _Part
        self._family = family
        self._on_started = on_started
        self._on_ending = on_ending
        self.interrupted = False

    def add_part(self, name: str, command: list[str]) -> None:
        env = {**os.environ, "PYTHONUNBUFFERED": "1", TOKEN_VARIABLE: self._family.token}
        if name in BACKGROUND:
            command = ["nice", "-n", "5", *command]
        # exec: the shell in between would swallow signals.
        self.add_process(name, f"exec {shlex.join(command)}", env=env)

    def failed_part(self) -> tuple[str, int] | None:
        """The part that ended by itself, and its exit code."""
        return self._printer.first_stopped if not self.interrupted else None

    def _start(self) -> None:
        super()._start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        self._on_started()

    def terminate(self) -> None:
        if self._on_ending is not None:
            self._on_ending()  # first: it uses the parts
        super().terminate()

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.interrupted:
            self.kill()
            return
        self.interrupted = True
        self.returncode = 0
        self.terminate()

    def _system_print(self, data: str) -> None:
        started = re.fullmatch(r"\S+ started \(pid=(\d+)\)\n", data)
        if started:
            self._family.note(int(started[1]))
        super()._system_print(data)


class _Part(Process):
    """honcho's, but what the part writes comes as bundles of lines: each message goes through two processes more, and
    web writes a line for each order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = _started


def _started(*args: Any, **kwargs: Any) -> Popen:
    child = Popen(*args, **kwargs)
    child.stdout = Bundles(child.stdout)
    return child
