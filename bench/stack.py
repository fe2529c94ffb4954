"""The whole stack as `make run` starts it, on a throw-away HUUVA_HOME."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.load import ROOT, BenchFailed
from core.env import read_dotenv
from huuva.ops.embedded.process import find
from tests.live_stack import SCOPES
from tests.ports import free_port

START_SECONDS = 180
STOP_SECONDS = 30


class Stack:
    """Web with two workers, worker, beat, PostgreSQL and Valkey; all of it ours, so that its CPU time can be read."""

    def __init__(self, home: Path) -> None:
        for name in ("DATABASE_URL", "REDIS_URL"):
            # Ten thousands of orders don't belong into somebody's database.
            if read_dotenv(ROOT / ".env").get(name):
                raise BenchFailed(f"The benchmarks use servers of their own: take {name} out of .env first.")
        self.home = home
        self.port = free_port(following=1)  # live takes the next one
        self.base_url = f"http://127.0.0.1:{self.port}"
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
        }
        self.environment = {
            **inherited,
            "HUUVA_HOME": str(home),
            "HUUVA_HOST": "127.0.0.1",
            "HUUVA_PORT": str(self.port),
            "HUUVA_WEB_WORKERS": "2",
            # The receivers of webhooks listen on this machine.
            "HUUVA_WEBHOOKS_ALLOW_PRIVATE": "true",
            "HUUVA_WEBHOOKS_ALLOW_HTTP": "true",
        }
        self.log = home / "bench.log"
        self.process: psutil.Popen | None = None

    def start(self) -> float:
        """Start everything and return the seconds until the first page (the admin's login) came."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches only us, and we stop it in order.
            self.process = psutil.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self._first_page():
            if self.process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise BenchFailed(f"The stack did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)
        return time.monotonic() - began

    def stop(self) -> None:
        if self.process is None:
            return
        mine: list[psutil.Process] = []
        if self.process.is_running():
            mine = [self.process, *self.process.children(recursive=True), *self.postgres()]
        if mine:
            self.process.send_signal(signal.SIGINT)
        _, alive = psutil.wait_procs(mine, timeout=STOP_SECONDS)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process = None

    def create_key(self, name: str, rate_limit: int, *options: str) -> str:
        scopes = [word for scope in (*SCOPES, "webhooks:manage") for word in ("--scope", scope)]
        return self.manage("create_api_key", name, "--rate-limit", str(rate_limit), *scopes, *options)

    def create_kitchen(self, slug: str) -> None:
        make = f"from orders.models import Kitchen; Kitchen(slug='{slug}', name='{slug.title()}').save()"
        self.manage("shell", "--no-imports", "-c", make)

    def manage(self, *words: str) -> str:
        """Runs a management command on this stack; returns what it printed. Raises BenchFailed."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchFailed(f"manage.py {words[0]} failed:\n{done.stderr}")
        return done.stdout.strip()

    def web(self) -> Iterator[psutil.Process]:
        """The processes that serve web: the server and its workers."""
        return self._serving("huuva.server")

    def live(self) -> Iterator[psutil.Process]:
        """The processes that hold the streams."""
        return self._serving("huuva.asgi:application")

    def _serving(self, word: str) -> Iterator[psutil.Process]:
        # The workers' own command lines don't tell what they are.
        if self.process is None:
            return
        for child in self.process.children(recursive=True):
            try:
                words = child.cmdline()
            except psutil.NoSuchProcess:
                continue
            if word in words:
                yield child
                yield from child.children(recursive=True)

    def postgres(self) -> list[psutil.Process]:
        return find("postgres", self.home / "postgres" / "data")

    def valkey(self) -> list[psutil.Process]:
        return find("valkey-server", self.home / "valkey")

    def celery(self, part: str) -> Iterator[psutil.Process]:
        """`worker` or `beat`, with what it has started."""
        for child in self.process.children(recursive=True) if self.process else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                if part in child.cmdline():
                    yield child

    def warnings(self) -> list[str]:
        """The last lines of web's log that tell of trouble."""
        log = self.home / "log" / "web.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return [line[:500] for line in lines if '"warning"' in line or '"error"' in line][-5:]

    def _first_page(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/admin/login/", timeout=5) as page:
                return bool(page.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
