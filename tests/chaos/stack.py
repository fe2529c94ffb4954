"""The whole stack with a supervisor that starts again whatever dies, as systemd or compose would."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.addresses import database_url
from huuva.ops import embedded
from huuva.ops.embedded.postgres import ensure_postgres
from huuva.ops.embedded.process import find
from huuva.ops.embedded.valkey import ensure_valkey
from huuva.ops.embedded.watch import watching
from huuva.ops.processes import commands
from tests.background import Service, answers, wait_until

START_SECONDS = 120
SUPERVISOR_SECONDS = 0.1


class Stack:
    """Web, live, worker, beat, PostgreSQL and Valkey in one home; this process has their settings already."""

    def __init__(self, home: Path, port: int, *, durable: bool) -> None:
        self.home, self.port, self._durable = home, port, durable
        self.restarts: dict[str, int] = {}
        # A folder of our own for temporary files: whatever lies there, a service has put there.
        self.temporary = home / "tmp"
        self.temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(self.temporary)}
        self.services = {
            name: Service(name, command, dict(environment), home / "log" / f"{name}.log")
            for name, command in commands(home, "127.0.0.1", port, 2).items()
        }
        self._servers = ExitStack()
        self._mending = threading.Lock()
        self._stop = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    def start(self) -> None:
        """Raises AssertionError, ConfigError and ServiceError."""
        from django.core.management import call_command
        from django.db import connections

        self._servers.enter_context(
            embedded.services(self.home, postgres=True, valkey=True, durable=self._durable)
        )
        self._servers.enter_context(watching(self._mend_servers))
        # Checkpoints come often then, and old WAL fits beside the data on a small disk.
        with self.database() as connection:
            connection.execute("ALTER SYSTEM SET max_wal_size = '96MB'")
            connection.execute("SELECT pg_reload_conf()")
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()
        for service in self.services.values():
            service.start()
        self._supervisor.start()
        for name, address in (
            ("web", f"{self.base_url}/api/health"),
            ("live", f"http://127.0.0.1:{self.port + 1}/livez"),
        ):
            wait_until(partial(answers, address, 5), START_SECONDS, self.services[name].log)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._stop.set()
        if self._supervisor.ident is not None:
            self._supervisor.join()
        for service in reversed(self.services.values()):
            service.stop()
        self._servers.close()

    @contextlib.contextmanager
    def nobody_mends_servers(self) -> Iterator[None]:
        """Inside, PostgreSQL and Valkey are not started again, whatever they do."""
        with self._mending:
            yield

    def database_url(self) -> str:
        """As the database's owner."""
        return database_url(self.home)

    def database(self) -> psycopg.Connection[Any]:
        """A connection as the database's owner, outside any transaction."""
        return psycopg.connect(self.database_url(), autocommit=True)

    def web_workers(self) -> list[psutil.Process]:
        workers = []
        for child in self.services["web"].children():
            with contextlib.suppress(psutil.Error):
                # granian starts its workers as copies of itself; Python's own helpers are others.
                if "huuva.wsgi:application" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                    workers.append(child)
        return workers

    def postgres(self) -> list[psutil.Process]:
        return find("postgres", self.home / "postgres" / "data")

    def valkey(self) -> list[psutil.Process]:
        return find("valkey-server", self.home / "valkey")

    def _mend_servers(self) -> None:
        with self._mending:
            ensure_postgres(self.home, durable=self._durable)
            ensure_valkey(self.home)

    def _supervise(self) -> None:
        while not self._stop.wait(SUPERVISOR_SECONDS):
            for service in self.services.values():
                if service.start_if_dead():
                    self.restarts[service.name] = self.restarts.get(service.name, 0) + 1


def use_home(home: Path, port: int) -> None:
    """Settings of this process and of all that it starts. Call it before Django is loaded."""
    for name in [*os.environ]:
        if name.startswith("HUUVA_") or name in ("DATABASE_URL", "REDIS_URL"):
            del os.environ[name]
    os.environ |= {
        "HUUVA_HOME": str(home),
        "HUUVA_HOST": "127.0.0.1",
        "HUUVA_PORT": str(port),
        "HUUVA_WEB_WORKERS": "2",
        # The receiver of webhooks listens here, without TLS.
        "HUUVA_WEBHOOKS_ALLOW_PRIVATE": "true",
        "HUUVA_WEBHOOKS_ALLOW_HTTP": "true",
        "DJANGO_SETTINGS_MODULE": "huuva.settings",
    }
    if "huuva.settings" in sys.modules:
        raise RuntimeError("Django's settings were read before their home was chosen.")
