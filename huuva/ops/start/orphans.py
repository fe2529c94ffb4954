"""Processes of an earlier start that was killed: remembered on disk, found and ended at the next one."""

from __future__ import annotations

import os
import secrets
import signal
from pathlib import Path
from typing import Final

import psutil

from core.home import read_private, write_private
from huuva.ops.embedded.process import end

TOKEN_VARIABLE: Final = "HUUVA_RUN_TOKEN"  # noqa: S105  (a name)
STEPS: Final = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0))


class ProcessRegistry:
    """The processes of one start. All inherit a random token in their environment.

    The token finds children of children too, and never a stranger that got a dead one's number. Where an
    environment can't be read, the noted number together with its time of creation decides.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "run" / "processes.json"
        self.token = secrets.token_hex(16)
        self._noted: dict[str, float] = {}

    def end_leftovers(self) -> int:
        """Ends what an earlier start left running; returns how many processes that were."""
        kept = read_private(self._file)
        leftovers = _members(str(kept.get("token", "")), kept.get("processes", {}))
        end(leftovers, STEPS, "A part of an earlier start")
        write_private(self._file, {"token": self.token, "processes": {}})
        return len(leftovers)

    def note(self, pid: int) -> None:
        """Remembers a child on disk, for a next start if this one is killed."""
        try:
            self._noted[str(pid)] = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        write_private(self._file, {"token": self.token, "processes": self._noted})

    def end(self) -> None:
        """Ends whatever of this start still runs."""
        end(_members(self.token, self._noted), STEPS, "A part")
        self._file.unlink(missing_ok=True)


def _members(token: str, noted: dict[str, float]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if noted.get(str(process.pid)) == process.create_time() or (
                token and process.environ().get(TOKEN_VARIABLE) == token
            ):
                found.append(process)
        except psutil.Error:  # ended meanwhile, or another user's
            continue
    return found
