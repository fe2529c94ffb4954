"""`manage.py run` as somebody starts it, and what then runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from core.env import read_dotenv
from huuva.ops.embedded.process import find
from tests.background import ROOT, wait_until
from tests.home import kill_each, make_home, remove_home, users

# Far more than it takes: a machine may be busy, and a first start makes a database.
READY_SECONDS = 300
STOP_SECONDS = 120


class Start:
    """One `manage.py run`. `printed` is all of its output."""

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
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HUUVA_")
            and name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        }
        self.environment = {**inherited, "HUUVA_HOME": str(home), "HUUVA_PORT": str(port), "HOME": str(home)}
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
    def printed(self) -> str:
        return self.output.read_text()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> float:
        """Waits for the box; returns the seconds that the start says it took."""
        wait_for(lambda: "Ctrl-C stops it" in self.printed and self.printed.count("──\n") == 2, self)
        match = re.search(r"ready after ([\d.]+) s", self.printed)
        assert match
        return float(match[1])

    def paste_curl(self) -> str:
        """Executes the printed line in bash as it is; returns what the server answered, status line first."""
        done = self._curl()
        assert done.returncode == 0, done.stderr
        return done.stdout

    def takes_orders(self) -> bool:
        return self._curl().stdout.startswith("HTTP/1.1 201")

    def _curl(self) -> subprocess.CompletedProcess[str]:
        line = next(line for line in self.printed.splitlines() if line.startswith("curl "))
        return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=STOP_SECONDS)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def processes(self) -> list[psutil.Process]:
        return processes_of(self.home)


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that runs for this home."""
    servers = find("postgres", home / "postgres/data") + find("valkey-server", home / "valkey")
    return servers + users(home)


def wait_for(condition: Callable[[], bool], start: Start) -> None:
    wait_until(condition, READY_SECONDS, start.output, start.process)


def serves(start: Start) -> None:
    """Waits for an order to be taken. After PostgreSQL was killed each thread of web finds its connection dead once;
    after web was killed nobody listens for a moment."""
    wait_for(start.takes_orders, start)


def kill_all(start: Start) -> None:
    processes = start.processes()
    kill_each(processes)
    start.process.wait(STOP_SECONDS)
    psutil.wait_procs(processes, timeout=STOP_SECONDS)


@contextmanager
def own_home() -> Iterator[Path]:
    """A home of its own; whatever was started in it ends with the block."""
    if {"DATABASE_URL", "REDIS_URL"} & read_dotenv(ROOT / ".env").keys():
        pytest.skip(".env names other servers: starts with the embedded ones were not tested")
    home = make_home()
    yield home
    kill_each(processes_of(home))
    remove_home(home)


@pytest.fixture
def home() -> Iterator[Path]:
    with own_home() as home:
        yield home


def place_of(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def web_workers(start: Start) -> list[psutil.Process]:
    """Those that run now; others may end while they are looked at."""
    web = [process for process in start.processes() if "huuva.wsgi:application" in command_line(process)]
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


def received(start: Start) -> int:
    """How many orders its metrics count as RECEIVED."""
    with urlopen(f"{start.base_url}/metrics", timeout=60) as answer:
        sample = re.search(
            r'^huuva_orders_open\{kitchen="main",status="RECEIVED"\} (\S+)$',
            answer.read().decode(),
            re.MULTILINE,
        )
    return round(float(sample[1])) if sample else 0
