"""Orphans: processes of an earlier start that was killed. They are recorded on disk and ended at the next start."""

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

    The token also finds grandchildren, and never a stranger that got the id of a dead process. Where an environment
    can't be read, the recorded id together with its time of creation decides.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "run" / "processes.json"
        self.token = secrets.token_hex(16)
        self._recorded: dict[str, float] = {}

    def end_orphans(self) -> int:
        """Ends the orphans of an earlier start; returns their number."""
        record = read_private(self._file)
        orphans = _members(str(record.get("token", "")), record.get("processes", {}))
        end(orphans, STEPS, "A process of an earlier start")
        write_private(self._file, {"token": self.token, "processes": {}})
        return len(orphans)

    def add(self, pid: int) -> None:
        """Records a child on disk, for the next start if this one is killed."""
        try:
            self._recorded[str(pid)] = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return
        write_private(self._file, {"token": self.token, "processes": self._recorded})

    def end(self) -> None:
        """Ends the processes of this start that still run."""
        end(_members(self.token, self._recorded), STEPS, "A process")
        self._file.unlink(missing_ok=True)


def _members(token: str, recorded: dict[str, float]) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if recorded.get(str(process.pid)) == process.create_time() or (
                token and process.environ().get(TOKEN_VARIABLE) == token
            ):
                members.append(process)
        except psutil.Error:  # ended meanwhile, or another user's
            continue
    return members
