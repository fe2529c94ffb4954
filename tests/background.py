"""Processes that run beside a test."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def in_background(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Starts it in a session of its own, so that `kill_group` reaches all that it starts; what it says is added to the
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
