"""The supervisor of `make run`, with small scripts as processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.background import ROOT, in_background

PATIENCE_SECONDS = 60

# Runs the processes that its arguments name: name and script alternate.
SUPERVISOR = """
import sys
from pathlib import Path
from huuva.ops.start import manager
from huuva.ops.start.orphans import ProcessRegistry

home, words = Path(sys.argv[1]), sys.argv[2:]
manager.STOP_SECONDS = 3.0
processes = manager.ProcessManager(home, ProcessRegistry(home), lambda: print("all started", flush=True))
for name, script in zip(words[::2], words[1::2]):
    processes.add_process(name, [sys.executable, "-c", script])
processes.loop()
print("failed:", processes.failed_process(), flush=True)
"""
ENDS_WHEN_ASKED = (
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}); print('here', flush=True);"
    "signal.sigwait({signal.SIGTERM}); print('bye', flush=True)"
)


class Supervisor:
    def __init__(self, home: Path, **scripts: str) -> None:
        self.home = home
        self.output = home / "output.txt"
        words = [word for name_and_script in scripts.items() for word in name_and_script]
        command = [sys.executable, "-c", SUPERVISOR, str(home), *words]
        self.process = in_background(command, {**os.environ, "PYTHONPATH": str(ROOT)}, self.output)

    @property
    def output_text(self) -> str:
        return self.output.read_text()

    def log(self, name: str) -> str:
        path = self.home / "log" / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def wait(self, ready: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert time.monotonic() < deadline, self.output_text
            time.sleep(0.02)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in ("log", "run"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_a_process_that_dies_is_restarted(home: Path) -> None:
    supervisor = Supervisor(home, steady=ENDS_WHEN_ASKED, worker=ENDS_WHEN_ASKED)
    supervisor.wait(lambda: "here" in supervisor.log("worker"))
    next(child for child in supervisor.children() if child.nice() == 5).kill()
    supervisor.wait(lambda: supervisor.log("worker").count("here") == 2)
    assert "worker ended with code -9: it is started again.\n" in supervisor.output_text
    assert supervisor.log("steady") == "here\n"
    assert supervisor.stop() == 0
    assert supervisor.log("steady") == "here\nbye\n"
    assert supervisor.output_text.endswith("failed: None\n")


def test_children_of_a_dead_process_are_killed(home: Path) -> None:
    """Its children may hold a port, or do its work beside its successor."""
    script = (
        "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    )
    supervisor = Supervisor(home, web=script)
    supervisor.wait(lambda: supervisor.log("web").count("\n") == 1)
    left_behind = psutil.Process(int(supervisor.log("web")))
    left_behind.parent().kill()  # type: ignore[union-attr]
    supervisor.wait(lambda: supervisor.log("web").count("\n") == 2)
    assert not left_behind.is_running() or left_behind.status() == psutil.STATUS_ZOMBIE
    assert supervisor.stop() == 0


def test_a_process_that_dies_again_and_again_ends_all(home: Path) -> None:
    supervisor = Supervisor(home, steady=ENDS_WHEN_ASKED, live="import sys; sys.exit(7)")
    assert supervisor.process.wait(PATIENCE_SECONDS) == 0
    assert supervisor.output_text.count("live ended with code 7: it is started again.\n") == 5
    assert supervisor.output_text.endswith("failed: ('live', 7)\n")
    assert supervisor.log("steady").endswith("bye\n")


def test_a_stop_reaches_a_process_and_not_its_children(home: Path) -> None:
    """A worker tells its children when to end: when they have finished."""
    child = "import signal; signal.sigwait({signal.SIGUSR1}); print('finished', flush=True)"
    script = (
        "import signal, subprocess, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1});"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}]);"
        "signal.pthread_sigmask(signal.SIG_SETMASK, set());"
        "signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGUSR1));"
        "print('here', flush=True); sys.exit(child.wait())"
    )
    supervisor = Supervisor(home, worker=script)
    supervisor.wait(lambda: "here" in supervisor.log("worker"))
    assert supervisor.stop() == 0
    assert supervisor.log("worker") == "here\nfinished\n"


def test_a_process_that_does_not_end_is_killed(home: Path) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(600)"
    supervisor = Supervisor(home, web=script)
    supervisor.wait(lambda: "here" in supervisor.log("web"))
    assert supervisor.stop() == 0


def test_a_second_signal_is_harder(home: Path) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True)); print('here', flush=True)\nwhile True: time.sleep(600)"
    supervisor = Supervisor(home, web=script)
    supervisor.wait(lambda: "here" in supervisor.log("web"))
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.wait(lambda: "no" in supervisor.log("web"))
    start = time.monotonic()
    assert supervisor.stop() == 0
    assert time.monotonic() - start < 3


def test_the_supervisor_is_one_process_with_one_thread(home: Path) -> None:
    supervisor = Supervisor(home, web=ENDS_WHEN_ASKED)
    supervisor.wait(lambda: "here" in supervisor.log("web"))
    process = psutil.Process(supervisor.process.pid)
    assert process.num_threads() == 1
    assert len(supervisor.children()) == 1
    assert supervisor.stop() == 0
