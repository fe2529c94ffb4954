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

    def __init__(self, home: Path, port: int, prefix: Sequence[str] = (), words: Sequence[str] = ()) -> None:
        self.home, self.port = home, port
        self.output = home / "output.txt"
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


@pytest.fixture
def home() -> Iterator[Path]:
    if {"DATABASE_URL", "REDIS_URL"} & read_dotenv(ROOT / ".env").keys():
        pytest.skip(".env names other servers: starts with the embedded ones were not tested")
    home = make_home()
    yield home
    start = Start.__new__(Start)
    start.home = home
    for process in start.family():
        process.kill()
    remove_home(home)


def test_two_starts_keep_the_data_and_leave_nothing_running(home: Path) -> None:
    port = free_port(following=1)
    first = Start(home, port)
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

    second = Start(home, port)
    assert second.wait_ready() < 15  # 2 to 3 s on an idle machine
    assert f"manager / {login[1]}" in second.said
    assert 'huuva_orders_open{kitchen="main",status="RECEIVED"} 2' in metrics(second)
    assert second.paste_curl().startswith("HTTP/1.1 201")
    third = Start(home, free_port(following=1))
    assert third.process.wait(30) == 2
    assert third.said == f"Huuva already runs from {home}: stop it first, or set HUUVA_HOME elsewhere.\n"
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert second.family() == []
    secrets = ("first-login.json", "first-key.json", "secret-key")
    assert {(home / name).stat().st_mode & 0o777 for name in secrets} == {0o600}


@pytest.mark.parametrize("victim", ["everything", "only the supervisor"])
def test_a_start_after_kill_9_is_clean(home: Path, victim: str) -> None:
    port = free_port(following=1)
    killed = Start(home, port)
    killed.wait_ready()
    assert killed.paste_curl().startswith("HTTP/1.1 201")
    old = killed.family()
    if victim == "everything":
        kill_all(killed)
        assert killed.family() == []
    else:
        killed.process.kill()
        killed.process.wait(10)
    again = Start(home, port)
    again.wait_ready()
    if victim != "everything":
        assert re.match(r"Ended \d+ processes of an earlier start that was killed\.\n", again.said)
        servers = ("postgres", "valkey-server")
        assert [process for process in old if process.is_running() and process.name() not in servers] == []
    assert 'huuva_orders_open{kitchen="main",status="RECEIVED"} 1' in metrics(again)
    assert again.paste_curl().startswith("HTTP/1.1 201")
    assert again.stop() == 0
    assert again.family() == []


def test_a_part_that_dies_stops_all_and_is_named(home: Path) -> None:
    start = Start(home, free_port(following=1))
    start.wait_ready()
    beat = next(process for process in start.family() if "beat" in process.cmdline())
    beat.kill()
    assert start.process.wait(60) == 1
    log = home / "log/beat.log"
    assert start.said.endswith(f"beat ended with code -9, so everything was stopped: see {log}.\n")
    assert start.family() == []


def test_a_web_worker_that_dies_is_replaced(home: Path) -> None:
    start = Start(home, free_port(following=1))
    start.wait_ready()
    children = web_workers(start)
    children[0].kill()
    wait_for(lambda: len({process.pid for process in web_workers(start)} - {children[0].pid}) == 2, start)
    assert start.paste_curl().startswith("HTTP/1.1 201")
    assert start.stop() == 0


@pytest.mark.parametrize("server", ["postgres", "valkey-server"])
def test_an_embedded_server_that_dies_is_started_again(home: Path, server: str) -> None:
    start = Start(home, free_port(following=1))
    start.wait_ready()
    assert start.paste_curl().startswith("HTTP/1.1 201")
    killed = [
        process
        for process in psutil.process_iter()
        if process.name() == server and str(home) in _place(process)
    ]
    assert killed
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)
    wait_for(lambda: start.paste_curl().startswith("HTTP/1.1 201"), start)
    assert start.stop() == 0


def _place(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def web_workers(start: Start) -> list[psutil.Process]:
    web = [process for process in start.family() if "huuva.wsgi:application" in process.cmdline()]
    pids = {process.pid for process in web}
    return [process for process in web if process.ppid() in pids and process.status() != psutil.STATUS_ZOMBIE]


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
    assert {process.username() for process in start.family()} == {"nobody"}
    assert start.stop() == 0
    assert start.family() == []


def metrics(start: Start) -> str:
    with urlopen(f"{start.base_url}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
