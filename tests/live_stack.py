"""A web server that really runs: two granian workers on a database of its own, called over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg

from core.addresses import redis_url
from huuva.ops.embedded.valkey import ensure_valkey
from huuva.ops.processes import commands
from tests.background import ROOT, answers, in_background, kill_group, metric, wait_until
from tests.home import kill_each
from tests.ports import free_port

START_SECONDS = 180
SCOPES = (
    "orders:read",
    "orders:write",
    "orders:recall",
    "customers:read",
    "analytics:read",
    "events:read",
)


class LiveStack:
    """`base_url` is where web answers; `key` has all scopes, no kitchen and no rate limit.

    `environment` is that of its processes; `database_url` and `redis_url` are its own.
    """

    def __init__(self, home: Path, database_url: str, redis_url: str) -> None:
        self.home = home
        self.name = f"huuva_live_{os.getpid()}"
        self._server_url = database_url
        self.database_url = urlunsplit(urlsplit(database_url)._replace(path=f"/{self.name}"))
        self.redis_url = redis_url
        self.port = free_port(1)  # live takes the next one
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = home / "log" / "live-stack.log"
        self.environment = {
            **os.environ,
            "HUUVA_HOME": str(home),
            "HUUVA_HOST": "127.0.0.1",
            "HUUVA_PORT": str(self.port),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "huuva.settings",
            "PYTHONUNBUFFERED": "1",
            # Receivers of webhooks listen on this machine.
            "HUUVA_WEBHOOKS_ALLOW_PRIVATE": "true",
            "HUUVA_WEBHOOKS_ALLOW_HTTP": "true",
        }
        self.key = ""
        self.web: subprocess.Popen[bytes] | None = None
        self.live: subprocess.Popen[bytes] | None = None
        self._commands: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{self.name}"')
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._commands = subprocess.Popen(
                [sys.executable, "-m", "tests.stack_commands"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.manage("migrate", "--verbosity", "0")
        self.start_web()
        self.key = self.issue_key(SCOPES, rate_limit=0)

    def part(self, name: str, workers: int = 1) -> subprocess.Popen[bytes]:
        """Starts web, live, worker or beat as production has it."""
        command = commands(self.home, "127.0.0.1", self.port, workers)[name]
        return in_background(command, self.environment, self.log)

    def start_web(self, workers: int = 2) -> None:
        """Starts web and waits for its first answer."""
        self.web = self.part("web", workers)
        self._wait_for(self.web, f"{self.base_url}/api/health")

    def stop_web(self) -> None:
        _end(self.web)
        self.web = None

    def start_live(self) -> None:
        """Starts the event streams, where they don't run already, and waits for their first answer."""
        if self.live is None:
            self.live = self.part("live")
            self._wait_for(self.live, f"http://127.0.0.1:{self.port + 1}/livez")

    def stop_live(self) -> None:
        _end(self.live)
        self.live = None

    def kill_live(self) -> None:
        """Ends the event streams as a crash does."""
        assert self.live is not None
        kill_group(self.live)
        self.live = None

    @contextmanager
    def beside(self, home: Path) -> Iterator[LiveStack]:
        """Another web and live on the same database, with a Valkey of their own, which a test may kill."""
        other = LiveStack(home, self._server_url, redis_url(home))
        other.key, other._commands = self.key, self._commands
        other.log.parent.mkdir(exist_ok=True)
        try:
            ensure_valkey(home)
            other.start_web(workers=1)
            other.start_live()
            yield other
        finally:
            other.stop_live()
            other.stop_web()

    def stop(self) -> None:
        self.stop_live()
        self.stop_web()
        if self._commands is not None:
            self._commands.communicate(timeout=60)  # closes its input, which ends it
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def manage(self, *words: str) -> str:
        """Runs a management command on this stack's database; returns what it printed."""
        answer = self._ask({"manage": words})
        assert not answer["error"], f"manage.py {' '.join(words)}: {answer['error']}"
        return str(answer["printed"])

    def issue_key(
        self,
        scopes: Sequence[str] = SCOPES,
        *,
        kitchen: str | None = None,
        rate_limit: int | None = None,
        name: str = "test",
    ) -> str:
        """A new key in plain text; its kitchen is made if it is not there. `rate_limit` None is the default one."""
        fields = {"name": name, "scopes": list(scopes), "kitchen": kitchen, "rate_limit": rate_limit}
        return str(self._ask({"key": fields})["key"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._commands is not None and self._commands.stdin and self._commands.stdout
        self._commands.stdin.write(json.dumps(question) + "\n")
        self._commands.stdin.flush()
        line = self._commands.stdout.readline()
        assert line, f"The process for commands ended:\n{self.log_text()[-4000:]}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def metric(self, name: str) -> float:
        """What web says under this name, labels included."""
        return metric(self.base_url, name)

    def _wait_for(self, part: subprocess.Popen[bytes], address: str) -> None:
        wait_until(lambda: answers(address), START_SECONDS, self.log, part)


def _end(part: subprocess.Popen[bytes] | None) -> None:
    if part is None:
        return
    children = _children(part.pid)
    part.terminate()
    try:
        part.wait(30)
    except subprocess.TimeoutExpired:
        part.kill()
        kill_each(children)
        part.wait(30)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
