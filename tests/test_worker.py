"""The Celery worker as it really runs, with a Valkey of its own that dies."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
from celery import Celery

from core.addresses import redis_url
from huuva.celery import app
from huuva.ops.embedded.process import find
from huuva.ops.embedded.valkey import ensure_valkey
from huuva.ops.processes import commands
from tests.background import in_background, kill_group
from tests.home import kill_each, make_home, remove_home
from tests.ports import free_port
from tests.slow_tasks import hold, touch

PATIENCE_SECONDS = 60
# How long tests.hasty_worker stands still before it is ended.
HASTY_PATIENCE_SECONDS = 6


def broker_url(redis_url: str) -> str:
    return redis_url.replace("unix://", "redis+socket://", 1)


class Worker:
    """As `make run` starts it."""

    def __init__(self, home: Path, app: str = "huuva") -> None:
        self.home = home
        self.log = home / "log" / "worker.log"
        self.url = redis_url(home)
        ensure_valkey(home)
        command = commands(home, "127.0.0.1", free_port(1), 1)["worker"]
        command = [app if word == "huuva" else word for word in command]
        # What goes well leaves a line at this level alone.
        environment = {
            **os.environ, "HUUVA_HOME": str(home), "REDIS_URL": self.url, "HUUVA_LOG_LEVEL": "DEBUG",
        }  # fmt: skip
        self.process = in_background([*command, "--include", "tests.slow_tasks"], environment, self.log)

    def send(self, task: object, *paths: Path) -> None:
        with app.connection_for_write(broker_url(self.url)) as connection:
            task.apply_async(args=[*map(str, paths)], connection=connection)  # type: ignore[attr-defined]

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert self.process.poll() is None, f"The worker ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{what}:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.05)

    def works(self) -> None:
        """Waits for a task to be done."""
        done = self.home / "done"
        done.unlink(missing_ok=True)
        self.send(touch, done)
        self.wait(done.exists, "A task was not done")

    def valkey(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def lives(self) -> list[int]:
        """The companion's processes so far."""
        path = self.home / "lives"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def kill_valkey(self) -> None:
        killed = find("valkey-server", self.home / "valkey")
        assert killed
        kill_each(killed)
        psutil.wait_procs(killed, timeout=10)


@contextmanager
def running(app: str = "huuva") -> Iterator[Worker]:
    home = make_home()
    (home / "log").mkdir()
    worker = Worker(home, app)
    try:
        yield worker
        worker.process.terminate()
        worker.process.wait(PATIENCE_SECONDS)
    finally:
        if worker.process.poll() is None:
            kill_group(worker.process)
        remove_home(home)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with running() as worker:
        yield worker


@pytest.fixture
def hasty_worker() -> Iterator[Worker]:
    with running("tests.hasty_worker") as worker:
        worker.works()
        yield worker


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


def envelope(**changes: object) -> bytes:
    """A message as Celery writes one, but for the changes."""
    return json.dumps(
        {
            "body": base64.b64encode(b"[[], {}, {}]").decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"task": "tests.slow_tasks.touch", "id": "poison", "lang": "py"},
            "properties": {
                "delivery_info": {"exchange": "", "routing_key": "celery"},
                "body_encoding": "base64",
                "delivery_tag": "poison",
            },
        }
        | changes
    ).encode()


POISONS = {
    "no JSON": b"poison",
    "bytes": b"\xff\xfe\x00",
    "nothing": b"",
    "too deep": b"[" * 100_000,
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "empty": b"{}",
    "no properties": envelope(properties=None),
    "no tag": envelope(properties={}),
    "tag of a list": envelope(properties={"delivery_tag": ["poison"], "delivery_info": {}}),
    "body of a number": envelope(body=1),
    "body that is none": envelope(body="%%%"),
    "body of another kind": envelope(**{"content-type": "application/x-python-serialize"}),
    "unknown charset": envelope(**{"content-encoding": "klingon"}),
    "no headers": envelope(headers=None),
    "headers of a list": envelope(headers=[1]),
    "headers of a text": envelope(headers="poison"),
    "no id": envelope(headers={"task": "tests.slow_tasks.touch"}),
    "id of an object": envelope(headers={"task": "tests.slow_tasks.touch", "id": {}}),
    "task of a list": envelope(headers={"task": ["poison"], "id": "poison"}),
    "unknown task": envelope(headers={"task": "poison", "id": "poison"}),
    "wrong time": envelope(headers={"task": "tests.slow_tasks.touch", "id": "poison", "eta": 5}),
    "wrong limit": envelope(headers={"task": "tests.slow_tasks.touch", "id": "poison", "timelimit": "x"}),
}


def test_unreadable_messages_are_dropped(worker: Worker) -> None:
    """Each of them alone used to end the consumer for good."""
    worker.works()
    process = worker.valkey()
    for name, poison in POISONS.items():
        process.lpush("celery", poison)
        worker.works()
        worker.wait(lambda: process.llen("celery") == 0, name)
    assert "Unrecoverable" not in worker.log.read_text()
    assert worker.log.read_text().count("message_unreadable") >= 10
    worker.wait(lambda: process.hlen("unacked") == 0, "Some would come again")


def test_unreadable_remote_control_is_dropped(worker: Worker) -> None:
    worker.works()
    for poison in (b"[1]", b"{}", b"poison", envelope(body=1)):
        worker.wait(
            lambda poison=poison: worker.valkey().publish("/0.celery.pidbox", poison) == 1, "Nobody listens"
        )
        worker.works()


def test_a_worker_that_stands_still_ends_itself(hasty_worker: Worker) -> None:
    children = hasty_worker.children()
    (hasty_worker.home / "freeze").touch()
    assert hasty_worker.process.wait(PATIENCE_SECONDS) == 1
    assert '"event": "worker_stands_still"' in hasty_worker.log.read_text()
    assert "its event loop does not run" in hasty_worker.log.read_text()
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_a_worker_whose_consumer_is_gone_ends_itself(hasty_worker: Worker) -> None:
    """Its event loop turns, and it takes nothing."""
    control = Celery(broker=broker_url(hasty_worker.url)).control
    assert control.cancel_consumer("celery", reply=True, timeout=PATIENCE_SECONDS, limit=1)
    hasty_worker.send(touch, hasty_worker.home / "never")
    assert hasty_worker.process.wait(PATIENCE_SECONDS) == 1
    assert "it takes no tasks" in hasty_worker.log.read_text()


def test_without_valkey_a_worker_waits_for_it(hasty_worker: Worker) -> None:
    before = hasty_worker.lives()
    hasty_worker.kill_valkey()
    enough = round(2 * HASTY_PATIENCE_SECONDS / 0.5)
    hasty_worker.wait(
        lambda: hasty_worker.log.read_text().count("Cannot connect to") >= enough, "It did not try"
    )
    ensure_valkey(hasty_worker.home)
    hasty_worker.works()
    assert hasty_worker.lives() == before


def test_a_companion_that_dies_is_started_again(hasty_worker: Worker) -> None:
    hasty_worker.wait(lambda: len(hasty_worker.lives()) == 1, "It was not started")
    psutil.Process(hasty_worker.lives()[0]).kill()
    hasty_worker.wait(lambda: len(hasty_worker.lives()) == 2, "It was not started again")
    hasty_worker.works()


def test_a_companion_that_hangs_is_started_again(hasty_worker: Worker) -> None:
    hang = hasty_worker.home / "hang"
    hang.touch()
    hasty_worker.wait(lambda: len(hasty_worker.lives()) == 2, "It was not started again")
    hang.unlink()
    hasty_worker.works()
    assert '"event": "companion_hangs"' in hasty_worker.log.read_text()


def test_a_companion_ends_with_its_worker(hasty_worker: Worker) -> None:
    hasty_worker.wait(lambda: len(hasty_worker.lives()) == 1, "It was not started")
    companion = psutil.Process(hasty_worker.lives()[0])
    hasty_worker.process.kill()
    companion.wait(10)


def test_a_stop_waits_for_tasks_under_way_and_gives_back_the_others(hasty_worker: Worker) -> None:
    """Though the signal reaches all processes: those of the pool would die in the middle of a task."""
    worker = hasty_worker
    began, until = worker.home / "began", worker.home / "until"
    received = worker.log.read_text().count(" received")
    for _ in range(4):  # two of them are not begun
        worker.send(hold, began, until)
    worker.wait(lambda: worker.log.read_text().count(" received") == received + 4, "They did not come")
    worker.wait(began.exists, "None was begun")
    os.killpg(worker.process.pid, signal.SIGTERM)
    worker.wait((worker.home / "ended").exists, "The companion did not end")
    until.touch()
    assert worker.process.wait(PATIENCE_SECONDS) == 0
    text = worker.log.read_text()
    assert text.count("hold[") - text.count(" received") == -received + 2, "two have succeeded"
    # Without a database there are no deliveries to send.
    troubles = [
        line for line in text.splitlines() if re.search('Traceback|"level": "(warning|error|critical)"', line)
    ]
    assert [line for line in troubles if '"deliveries_interrupted"' not in line] == []
    assert worker.valkey().llen("celery") == 2
