"""What `make chaos` does to the stack, in small: servers that stand still, poison, stalled feeds, clocks, files."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
import redis
from django.conf import settings

from tests.background import Service, wait_until
from tests.chaos import poison as poisoning
from tests.chaos.__main__ import NAMES
from tests.chaos.client import Client
from tests.chaos.clock import HOUR, FakeClock, NoFakeClock, remove_leftovers, starter
from tests.chaos.faults import FAULTS
from tests.chaos.frozen import frozen
from tests.chaos.ledger import Ledger
from tests.chaos.liveness import Liveness
from tests.chaos.stalling import NAME, is_degraded_by_feed, is_named, stalled
from tests.chaos.uploads import LARGE, is_refused, spooled, upload


def wait_for(done: Callable[[], Any]) -> None:
    wait_until(done, 20, "what was waited for")


def test_each_fault_can_be_chosen() -> None:
    assert set(NAMES) == set(FAULTS)
    assert len(set(NAMES)) == len(NAMES)


# --- Servers that stand still -----------------------------------------------------------------------------------------


def test_a_frozen_process_stops_and_continues() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        watched = psutil.Process(process.pid)
        with frozen(lambda: [watched]) as numbers:
            assert numbers == [process.pid]
            wait_for(lambda: watched.status() == psutil.STATUS_STOPPED)
        wait_for(lambda: watched.status() != psutil.STATUS_STOPPED)
        process.kill()


def test_what_was_forked_while_others_were_stopped_is_stopped_too() -> None:
    with subprocess.Popen(["sleep", "60"]) as first, subprocess.Popen(["sleep", "60"]) as second:
        looks = iter([[psutil.Process(first.pid)]])
        both = [psutil.Process(first.pid), psutil.Process(second.pid)]
        with frozen(lambda: next(looks, both)) as numbers:
            assert numbers == sorted([first.pid, second.pid])
        first.kill()
        second.kill()


# --- A poisoned queue -------------------------------------------------------------------------------------------------


def test_poison_goes_to_the_queue_that_workers_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from huuva.celery import app

    assert app.conf.task_default_queue == poisoning.QUEUE
    monkeypatch.setattr(poisoning, "QUEUE", f"test-{uuid4().hex}")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        try:
            assert poisoning.poison_queue(client) == client.llen(poisoning.QUEUE) == len(poisoning.poisons())
        finally:
            client.delete(poisoning.QUEUE)


def test_each_poison_differs_from_a_task_in_one_thing() -> None:
    good = json.loads(poisoning._message())
    assert json.loads(base64.b64decode(good["body"])) == [[], {}, {}]
    assert good["headers"]["task"] == "huuva.tasks.beat_heartbeat"
    poisons = poisoning.poisons()
    assert len(set(poisons.values())) == len(poisons)
    for what, raw in poisons.items():
        try:
            changed = json.loads(raw)
        except ValueError:
            continue
        if isinstance(changed, dict) and set(changed) == set(good):
            different = [
                name for name in good if name != "properties" and changed[name] != good[name]
            ] or changed["properties"] != good["properties"]
            assert different, what


# --- A stalled feed ---------------------------------------------------------------------------------------------------


def oldest_open() -> int:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute("SELECT pg_current_xact_id()")
        row = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").fetchone()
    assert row is not None
    return int(row[0])


def test_a_stalled_session_holds_back_what_can_be_read_and_lets_it_go() -> None:
    with stalled(settings.DATABASE_URL) as pid:
        held = oldest_open()
        assert oldest_open() == held
        with psycopg.connect(settings.DATABASE_URL) as connection:
            row = connection.execute(
                "SELECT application_name, state FROM pg_stat_activity WHERE pid = %s", [pid]
            ).fetchone()
        assert row == (NAME, "idle in transaction")
    wait_for(lambda: oldest_open() > held)


@pytest.mark.parametrize(
    ("readiness", "degraded"),
    [
        ({"status": "degraded", "checks": {"feed": {"status": "failed"}}}, True),
        ({"status": "degraded", "checks": {"feed": {"status": "ok"}, "beat": {"status": "failed"}}}, False),
        ({"status": "ok", "checks": {"feed": {"status": "ok"}}}, False),
        ({"status": "degraded", "checks": {}}, False),
        ({"code": "not_ready"}, False),
        (None, False),
    ],
)
def test_only_the_feed_of_a_degraded_readiness_counts(readiness: Any, degraded: bool) -> None:
    assert is_degraded_by_feed(readiness) is degraded


def test_a_session_is_named_by_number_and_application(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    assert not is_named(log, 123)
    log.write_text(f'{{"pid": 1234, "application": "{NAME}"}}\n{{"pid": 123, "application": "psql"}}\n')
    assert not is_named(log, 123)
    log.write_text(f'{{"pid": 123, "application": "{NAME}"}}\n')
    assert is_named(log, 123)


# --- Clocks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(tmp_path: Path) -> FakeClock:
    try:
        clock_ = FakeClock(tmp_path / "clock")
        clock_.check()
    except NoFakeClock as reason:
        pytest.skip(str(reason))
    return clock_


TELL = "import sys, time\nfor line in sys.stdin: print(time.time(), time.monotonic(), flush=True)"


@pytest.fixture
def clocked(clock: FakeClock) -> Iterator[Callable[[], tuple[float, float]]]:
    """A process under that clock that tells what it takes for the time, and its monotonic clock."""
    with subprocess.Popen(
        [sys.executable, "-c", TELL],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        source, answers = process.stdin, process.stdout

        def ask() -> tuple[float, float]:
            source.write("\n")
            source.flush()
            wall, monotonic = answers.readline().split()
            return float(wall), float(monotonic)

        yield ask
        process.kill()


def test_a_clock_is_set_back_under_a_process_that_runs(
    clock: FakeClock, clocked: Callable[[], tuple[float, float]]
) -> None:
    before, steady_before = clocked()
    clock.set(-HOUR)
    back, steady = clocked()
    clock.set(0)
    right, _ = clocked()

    assert before - HOUR <= back < before - HOUR + 60
    assert before <= right < before + 60
    # The kernel's monotonic clock takes no part in it.
    assert steady_before <= steady < steady_before + 60
    assert abs(steady - time.monotonic()) < 60


def test_a_server_is_started_under_that_clock(clock: FakeClock, tmp_path: Path) -> None:
    clock.set(-HOUR)
    log = tmp_path / "log"
    process = starter(clock)(
        [sys.executable, "-c", "import time; print(time.time())"], folder=tmp_path, log=log, account=None
    )
    assert process.wait(60) == 0
    assert HOUR - 60 < time.time() - float(log.read_text()) <= HOUR + 60


def test_only_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    (tmp_path / f"faketime_shm_{ended.pid}").touch()
    (tmp_path / f"sem.faketime_sem_{ended.pid}").touch()
    remaining = {f"faketime_shm_{os.getpid()}", "PostgreSQL.1"}
    for name in remaining:
        (tmp_path / name).touch()

    remove_leftovers(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == remaining


# --- Files ------------------------------------------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """Refuses each body by its head alone, and has /livez."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.close_connection = True
        self._answer(413)

    def do_GET(self) -> None:
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Nothing to say."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_upload_gets_its_answer(port: int) -> None:
    assert upload(port, "/api/orders", 1000) == 413


@pytest.mark.parametrize(
    ("path", "size", "status", "refused"),
    [
        ("/api/orders", LARGE, 413, True),
        ("/api/orders", LARGE, 415, True),
        ("/api/orders", LARGE, 403, False),
        ("/api/orders", LARGE, 0, False),
        ("/api/orders", 1000, 401, True),
        ("/api/orders", 1000, 200, False),
        ("/api/orders", 1000, 500, False),
        ("/livez", LARGE, 405, True),
    ],
)
def test_only_a_refusal_is_one(path: str, size: int, status: int, refused: bool) -> None:
    assert is_refused(path, size, status) is refused


def test_files_without_a_name_count_as_spooled(tmp_path: Path) -> None:
    me = [psutil.Process()]
    assert spooled(tmp_path, me) == 0
    (tmp_path / "named").write_bytes(b"x" * 10)
    with (tmp_path / "unnamed").open("wb") as file:
        file.write(b"x" * 100)
        file.flush()
        (tmp_path / "unnamed").unlink()
        assert spooled(tmp_path, me) == 110
    assert spooled(tmp_path, me) == 10


# --- What is asked meanwhile ------------------------------------------------------------------------------------------


def test_a_late_livez_is_complained_of_once_while_it_must_answer(port: int) -> None:
    ledger = Ledger()
    good = Liveness("web", port, ledger)
    good.must_answer = True
    good.look()
    assert ledger.complaints == []

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused
        silent = Liveness("live", closed.getsockname()[1], ledger)
        silent.look()
        assert ledger.complaints == []
        silent.must_answer = True
        silent._silent = False
        silent.look()
        silent.look()
    assert len(ledger.complaints) == 1
    assert "/livez of live" in ledger.complaints[0]


def test_a_connection_that_was_closed_while_idle_takes_no_call(port: int) -> None:
    client, ledger = None, Ledger()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = Client(server.getsockname()[1], "key", ledger)

        def serve() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                    )

        thread = threading.Thread(target=serve)
        thread.start()
        assert client.once("GET", "/api/orders").label == "2xx"
        sock = client._connection.sock
        assert sock is not None
        sock.settimeout(5)
        assert sock.recv(1, socket.MSG_PEEK) == b""  # the server has closed it
        assert client.once("GET", "/api/orders").label == "2xx"
        thread.join()
    client.close()
    assert ledger.counted("closed") == 0


def test_a_reload_is_sent_to_the_service_and_not_to_its_children(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "import signal, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "signal.signal(signal.SIGHUP, lambda *_: print('reload', flush=True))\n"
        "print('ready', flush=True)\n"
        "child.wait()",
    ]
    service = Service("web", command, dict(os.environ), tmp_path / "log")
    service.start()
    try:
        wait_for(lambda: "ready" in service.log.read_text())
        service.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload" in service.log.read_text())
        assert [child.status() != psutil.STATUS_ZOMBIE for child in service.children()] == [True]
    finally:
        service.kill()
