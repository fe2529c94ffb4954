"""The HUUVA_HOME of one test run: servers of its own, so that runs at the same time don't meet."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from huuva.ops.embedded.postgres import stop_postgres
from huuva.ops.embedded.process import end
from huuva.ops.embedded.valkey import stop_valkey

PREFIX = "huuva-test-"
STEPS = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))


def make_home() -> Path:
    """A new folder for this process. The servers' user must be able to pass through it."""
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o711)
    (home / "static").mkdir()  # WhiteNoise warns where it is missing
    return home


def remove_home(home: Path) -> None:
    stop_valkey(home)
    stop_postgres(home)
    shutil.rmtree(home, ignore_errors=True)


def remove_leftovers() -> None:
    """Ends the servers and other processes of runs that were killed, and removes their homes."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = home.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            with suppress(PermissionError):  # another user's
                end(users(home), STEPS, "A process of a test run that was killed")
                remove_home(home)


def users(home: Path) -> list[psutil.Process]:
    """What was started with this home and runs: web, live, browsers, commands."""
    processes = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HUUVA_HOME") == str(home):
                processes.append(process)
        except psutil.Error:  # ended meanwhile, a zombie, or not ours to look at
            continue
    return processes


def kill_each(processes: Iterable[psutil.Process]) -> None:
    """One that ends by itself meanwhile, because its parent has gone, is dead as well."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
