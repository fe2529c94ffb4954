"""Starts, finds and ends server processes, which outlive the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from huuva.ops.embedded.places import Account, ServiceError

POLL_SECONDS: Final = 0.02


def start(
    argv: Sequence[str | Path], *, folder: Path, log: Path, account: Account | None
) -> subprocess.Popen[bytes]:
    """Starts a server in its own session, so that Ctrl-C in our terminal does not reach it."""
    # Opened by us, not by the server: its user need not be able to write there.
    with log.open("ab") as output:
        return subprocess.Popen(
            [os.fspath(word) for word in argv],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            **as_account(account),
        )


def as_account(account: Account | None) -> dict[str, Any]:
    """The arguments of Popen for running a program as that user."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def find(name: str, folder: Path) -> list[psutil.Process]:
    """Running processes of a program in this working folder.

    After a restart of the machine a pid file may name a stranger; the working folder can't.
    """
    folders = {str(folder), f"{folder} (deleted)"}
    processes = []
    for process in psutil.process_iter():
        try:
            if process.name() == name and process.cwd() in folders:
                processes.append(process)
        except psutil.Error:  # ended meanwhile, a zombie, or another user's
            continue
    return processes


def wait_until(
    ready: Callable[[], bool], child: subprocess.Popen[bytes] | None, *, seconds: float, what: str, log: Path
) -> None:
    """Waits until the server answers. Raises ServiceError if it ends or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child is not None and child.poll() is not None:
            raise ServiceError(f"{what} ended at its start ({last_line(log)}): see {log}.")
        if time.monotonic() > deadline:
            raise ServiceError(f"{what} does not answer after {seconds:.0f} s: see {log}.")
        time.sleep(POLL_SECONDS)


def end(processes: list[psutil.Process], steps: Sequence[tuple[signal.Signals, float]], what: str) -> None:
    """Ends processes by stronger and stronger signals, each with the seconds to wait. Raises ServiceError."""
    if not processes:
        return
    alive = processes
    for number, seconds in steps:
        for process in alive:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied:
                raise ServiceError(
                    f"{what} (process {process.pid}) runs as another user: stop it as that user."
                ) from None
        _, alive = psutil.wait_procs(alive, timeout=seconds)
        if not alive:
            return
    raise ServiceError(f"{what} (process {alive[0].pid}) cannot be stopped.")


def last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
