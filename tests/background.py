"""Processes that run beside a test, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent


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
