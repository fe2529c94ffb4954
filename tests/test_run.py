"""`manage.py run` as a user meets it: started, used, stopped, killed, and started wrongly."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from huuva.embedded.process import find
from huuva.env import read_dotenv
from tests.home import make_home, remove_home
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90


class Start:
    """One `manage.py run`. `said` is all that it printed."""

    def __init__(
        self,
        home: Path,
        port: int,
        prefix: Sequence[str] = (),
        words: Sequence[str] = (),
        output: str = "output.txt",
    ) -> None:
        self.home, self.port = home, port
        self.output = home / output
        # Neither our own settings nor servers of others: this is about the embedded ones.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HUUVA_")
            and name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        }
        self.environment = {**kept, "HUUVA_HOME": str(home), "HUUVA_PORT": str(port), "HOME": str(home)}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "manage.py", "run", *words],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> float:
        """Waits for the box; returns the seconds that the start says it took."""
        wait_for(lambda: "Ctrl-C stops it" in self.said and self.said.count("──\n") == 2, self)
        found = re.search(r"ready after ([\d.]+) s", self.said)
        assert found
        return float(found[1])

    def paste_curl(self) -> str:
        """Executes the printed line in bash as it is; returns what the server answered, status line first."""
        line = next(line for line in self.said.splitlines() if line.startswith("curl "))
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def family(self) -> list[psutil.Process]:
        """Everything that runs for this home."""
        found = find("postgres", self.home / "postgres/data") + find("valkey-server", self.home / "valkey")
        for process in psutil.process_iter():
            try:
                if process.environ().get("HUUVA_HOME") == str(self.home) and process.pid != os.getpid():
                    found.append(process)
            except psutil.Error:
                continue
        return found


def wait_for(condition: Callable[[], bool], start: Start) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        assert start.process.poll() is None, f"the start ended: {start.said}"
        assert time.monotonic() < deadline, f"not ready in {READY_SECONDS} s: {start.said}"
        time.sleep(0.05)


def kill_all(start: Start) -> None:
    family = start.family()
    for process in family:
        process.kill()
    start.process.wait(10)
    psutil.wait_procs(family, timeout=10)


@contextmanager
def own_home() -> Iterator[Path]:
    """A home of its own; whatever was started in it ends with the block."""
    if {"DATABASE_URL", "REDIS_URL"} & read_dotenv(ROOT / ".env").keys():
        pytest.skip(".env names other servers: starts with the embedded ones were not tested")
    home = make_home()
    yield home
    start = Start.__new__(Start)
    start.home = home
    for process in start.family():
        process.kill()
    remove_home(home)


@pytest.fixture
def home() -> Iterator[Path]:
    with own_home() as home:
        yield home


@pytest.fixture(scope="module")
def kept_home() -> Iterator[Path]:
    """The home that many tests start from, one after the other: a first start costs seconds, further ones less."""
    with own_home() as home:
        yield home


@pytest.fixture(scope="module")
def starts() -> list[Start]:
    """Those from the kept home so far."""
    return []


@pytest.fixture
def running(kept_home: Path, starts: list[Start]) -> Start:
    """A start from the kept home that is ready: the latest one, if it still runs."""
    if not starts or starts[-1].process.poll() is not None:
        starts.append(Start(kept_home, free_port(following=1)))
        starts[-1].wait_ready()
    return starts[-1]


def test_two_starts_keep_the_data_and_leave_nothing_running(kept_home: Path) -> None:
    port = free_port(following=1)
    first = Start(kept_home, port)
    first.wait_ready()
    assert first.paste_curl().startswith("HTTP/1.1 201")
    assert first.paste_curl().startswith("HTTP/1.1 201")
    with urlopen(f"http://127.0.0.1:{port + 1}/livez", timeout=5) as answer:
        assert answer.status == 200
    login = re.search(r"manager / (\S+)", first.said)
    assert login
    assert first.stop() == 0
    assert first.family() == []
    # Warnings of healthy parts would drown the box.
    assert [line for line in first.said.splitlines() if " | " in line] == []

    second = Start(kept_home, port)
    second.wait_ready()  # how long that takes: `make bench ARGS="--only start"`
    assert f"manager / {login[1]}" in second.said
    assert received(second) == 2
    assert second.paste_curl().startswith("HTTP/1.1 201")
    third = Start(kept_home, free_port(following=1), output="third.txt")
    assert third.process.wait(30) == 2
    assert third.said == f"Huuva already runs from {kept_home}: stop it first, or set HUUVA_HOME elsewhere.\n"
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert second.family() == []
    secrets = ("first-login.json", "first-key.json", "secret-key")
    assert {(kept_home / name).stat().st_mode & 0o777 for name in secrets} == {0o600}


def test_a_start_after_everything_was_killed_is_clean(running: Start, starts: list[Start]) -> None:
    before = received(running)
    assert running.paste_curl().startswith("HTTP/1.1 201")
    kill_all(running)
    assert running.family() == []
    again = Start(running.home, running.port)
    starts.append(again)  # the next tests use it, and stop it
    again.wait_ready()
    assert received(again) == before + 1
    assert again.paste_curl().startswith("HTTP/1.1 201")


def test_a_web_worker_that_dies_is_replaced(running: Start) -> None:
    children = web_workers(running)
    children[0].kill()
    wait_for(lambda: len({process.pid for process in web_workers(running)} - {children[0].pid}) == 2, running)
    assert running.paste_curl().startswith("HTTP/1.1 201")


@pytest.mark.parametrize("server", ["postgres", "valkey-server"])
def test_an_embedded_server_that_dies_is_started_again(running: Start, server: str) -> None:
    assert running.paste_curl().startswith("HTTP/1.1 201")
    killed = [
        process
        for process in psutil.process_iter()
        if process.name() == server and str(running.home) in _place(process)
    ]
    assert killed
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)
    wait_for(lambda: running.paste_curl().startswith("HTTP/1.1 201"), running)


def test_after_all_this_it_still_stops_in_order(running: Start) -> None:
    assert running.stop() == 0
    assert running.family() == []


def test_a_start_after_the_supervisor_alone_was_killed_is_clean(running: Start) -> None:
    before = received(running)
    assert running.paste_curl().startswith("HTTP/1.1 201")
    old = running.family()
    running.process.kill()
    running.process.wait(10)
    again = Start(running.home, running.port)
    again.wait_ready()
    assert re.match(r"Ended \d+ processes of an earlier start that was killed\.\n", again.said)
    servers = ("postgres", "valkey-server")
    assert [process for process in old if process.is_running() and process.name() not in servers] == []
    assert received(again) == before + 1
    assert again.paste_curl().startswith("HTTP/1.1 201")
    assert again.stop() == 0
    assert again.family() == []


def test_a_part_that_dies_stops_all_and_is_named(running: Start) -> None:
    beat = next(process for process in running.family() if "beat" in command_line(process))
    beat.kill()
    assert running.process.wait(60) == 1
    log = running.home / "log/beat.log"
    assert running.said.endswith(f"beat ended with code -9, so everything was stopped: see {log}.\n")
    assert running.family() == []


def _place(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def web_workers(start: Start) -> list[psutil.Process]:
    """Those that run now; others of the family may end while they are looked at."""
    web = [process for process in start.family() if "huuva.wsgi:application" in command_line(process)]
    pids = {process.pid for process in web}
    workers = []
    for process in web:
        with suppress(psutil.NoSuchProcess):
            if process.ppid() in pids and process.status() != psutil.STATUS_ZOMBIE:
                workers.append(process)
    return workers


def owner(process: psutil.Process) -> str:
    try:
        return process.username()
    except psutil.NoSuchProcess:  # a backend whose client has just left
        return ""


def command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_is_one_sentence(home: Path, offset: int) -> None:
    port = free_port(following=1)
    with socket.create_server(("127.0.0.1", port + offset)):
        start = Start(home, port)
        assert start.process.wait(30) == 2
    assert start.said.startswith(f"Port {port + offset} on 127.0.0.1 is taken: ")
    assert "HUUVA_PORT" in start.said
    assert start.said.count("\n") == 1
    assert start.family() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HUUVA_PORT", "abc", "HUUVA_PORT must be a whole number from 1 to 65534, not 'abc'."),
        ("HUUVA_WEB_WORKERS", "0", "HUUVA_WEB_WORKERS must be a whole number from 1 to 64, not '0'."),
        ("HUUVA_DEBUG", "perhaps", "HUUVA_DEBUG must be true or false, not 'perhaps'."),
        ("DATABASE_URL", "mysql://db/x", "DATABASE_URL must start with postgres:// or postgresql://."),
        ("HUUVA_HOME", "/proc/huuva", "HUUVA_HOME"),
        ("HUUVA_HOST", "192.0.2.1", "HUUVA_HOST must be an address of this machine, not '192.0.2.1'"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/huuva", "check DATABASE_URL."),
    ],
)
def test_a_wrong_variable_is_one_sentence(home: Path, name: str, value: str, sentence: str) -> None:
    environment = {**os.environ, "HUUVA_HOME": str(home), "HUUVA_PORT": str(free_port(following=1))}
    environment[name] = value
    done = subprocess.run(
        [sys.executable, "manage.py", "run"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_misspelt_variable_is_a_warning() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "HUUVA_PROT": "8000"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert (
        "Warning: HUUVA_PROT is not a setting of Huuva and has no effect. Did you mean HUUVA_PORT?"
        in done.stderr
    )


def test_an_old_python_is_one_sentence() -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 11, 9); runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Huuva needs Python 3.12, 3.13 or 3.14; this is 3.11.\n"


def test_an_ordinary_user_can_start_it(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the other tests of this page ran as an ordinary user already")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed: a start as an ordinary user was not tested")
    as_nobody = [setpriv, "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    able = subprocess.run([*as_nobody, sys.executable, "-c", "import django"], cwd=ROOT, capture_output=True)
    if able.returncode != 0:
        pytest.skip(f"the user nobody can't execute {sys.executable}: a start as that user was not tested")
    own = home / "own"
    own.mkdir()
    shutil.chown(own, "nobody", "nogroup")
    start = Start(own, free_port(following=1), as_nobody)
    start.wait_ready()
    assert start.paste_curl().startswith("HTTP/1.1 201")
    assert {owner(process) for process in start.family()} - {""} == {"nobody"}
    assert start.stop() == 0
    assert start.family() == []


def received(start: Start) -> int:
    """How many orders its metrics count as RECEIVED."""
    with urlopen(f"{start.base_url}/metrics", timeout=10) as answer:
        told = re.search(
            r'^huuva_orders_open\{kitchen="main",status="RECEIVED"\} (\d+)$',
            answer.read().decode(),
            re.MULTILINE,
        )
    return int(told[1]) if told else 0
