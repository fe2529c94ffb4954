"""Each process started by itself, in a home that nobody has used yet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.background import ROOT, answers, in_background, kill_group, wait_until
from tests.home import make_home, remove_home
from tests.live_stack import LiveStack
from tests.ports import free_port

PATIENCE_SECONDS = 90

# Of a home, its log and the port of web.
READY: dict[str, Callable[[Path, Path, int], bool]] = {
    "web": lambda home, log, port: answers(f"http://127.0.0.1:{port}/readyz"),
    "live": lambda home, log, port: answers(f"http://127.0.0.1:{port + 1}/livez"),
    "worker": lambda home, log, port: " ready." in log.read_text(),
    "beat": lambda home, log, port: any((home / "run").glob("beat-schedule*")),
}


@pytest.fixture
def home() -> Iterator[Path]:
    home = make_home()
    yield home
    remove_home(home)


@pytest.mark.parametrize("name", READY)
def test_a_process_starts_in_a_new_home(name: str, home: Path, live_stack: LiveStack) -> None:
    new, log, port = home / "new", home / "output.txt", free_port(following=1)
    # Settings other than those of the servers are the defaults.
    environment = {**live_stack.environment, "HUUVA_HOME": str(new), "HUUVA_PORT": str(port)}
    process = in_background([sys.executable, "-m", "huuva.ops.processes", name], environment, log)
    try:
        wait_until(lambda: READY[name](new, log, port), PATIENCE_SECONDS, log, process)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) in (0, -15)
    finally:
        kill_group(process)
    assert "Traceback" not in log.read_text()


def test_a_home_that_cannot_be_made_is_one_sentence(live_stack: LiveStack) -> None:
    environment = {**live_stack.environment, "HUUVA_HOME": "/proc/huuva", "HUUVA_SECRET_KEY": "x" * 50}
    done = subprocess.run(
        [sys.executable, "-m", "huuva.ops.processes", "beat"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "HUUVA_HOME" in done.stderr
    assert done.stderr.count("\n") == 1
