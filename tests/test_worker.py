"""The Celery worker as it really runs, with a Valkey of its own that dies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from huuva.celery import app
from huuva.embedded import redis_url
from huuva.embedded.process import find
from huuva.embedded.valkey import ensure_valkey
from huuva.parts import commands
from tests.background import in_background, kill_group
from tests.home import make_home, remove_home
from tests.ports import free_port
from tests.slow_tasks import hold, touch

PATIENCE_SECONDS = 60


class Worker:
    """As `make run` starts it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "log" / "worker.log"
        self.url = redis_url(home)
        ensure_valkey(home)
        command = commands(home, "127.0.0.1", free_port(1), 1)["worker"]
        environment = {**os.environ, "HUUVA_HOME": str(home), "REDIS_URL": self.url}
        self.process = in_background([*command, "--include", "tests.slow_tasks"], environment, self.log)

    def send(self, task: object, *paths: Path) -> None:
        with app.connection_for_write(self.url.replace("unix://", "redis+socket://", 1)) as connection:
            task.apply_async(args=[*map(str, paths)], connection=connection)  # type: ignore[attr-defined]

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert self.process.poll() is None, f"The worker ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{what}:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.05)

    def kill_valkey(self) -> None:
        killed = find("valkey-server", self.home / "valkey")
        assert killed
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=10)


@pytest.fixture
def worker() -> Iterator[Worker]:
    home = make_home()
    (home / "log").mkdir()
    worker = Worker(home)
    yield worker
    worker.process.terminate()
    try:
        worker.process.wait(20)
    finally:
        if worker.process.poll() is None:
            kill_group(worker.process)
        remove_home(home)


@pytest.mark.parametrize("number", [1, 6])  # of six some still wait for a process; these are forgotten
def test_the_worker_outlives_valkey_with_tasks_under_way(worker: Worker, number: int) -> None:
    """Where it doesn't, `make run` ends with it."""
    began, until, done, later = (worker.home / name for name in ("began", "until", "done", "later"))
    for _ in range(number):
        worker.send(hold, began, until)
    worker.wait(began.exists, "No task was begun")
    worker.wait(lambda: worker.log.read_text().count(" received") == number, "They did not come")
    worker.kill_valkey()
    worker.wait(lambda: "Connection to broker lost" in worker.log.read_text(), "It did not notice")
    ensure_valkey(worker.home)
    if number == 1:
        worker.send(touch, done)
        worker.wait(done.exists, "A task that came afterwards was not done")
    until.touch()
    worker.wait(lambda: worker.log.read_text().count(" succeeded") >= min(number, 2), "They did not end")
    worker.send(touch, later)
    worker.wait(later.exists, "A task that came after these had ended was not done")
