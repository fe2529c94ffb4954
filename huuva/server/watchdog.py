"""Ends what is overdue: bodies, queued requests, and answers that wait for a database that hangs."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any, Final

import psycopg
import structlog
from django.db import connections

from core.http.limits import HANGING_SECONDS, PING_SECONDS
from huuva.server.gate import Gate
from huuva.server.pool import AnsweringThread, Pool

log = structlog.get_logger(__name__)
TICK_SECONDS: Final = 0.25


class Watchdog(threading.Thread):
    """One thread per worker process."""

    def __init__(self, gate: Gate, pool: Pool) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._gate = gate
        self._pool = pool
        self._database = DatabaseWatch()

    def run(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            try:
                self._look(time.monotonic())
            except Exception:
                log.exception("watchdog_failed")

    def _look(self, now: float) -> None:
        self._gate.expire(now)
        self._pool.expire(now)
        self._database.look(self._pool.threads, now)


class DatabaseWatch:
    """Checks whether PostgreSQL answers at all, once a request has waited for it for long.

    A server that is stopped (SIGSTOP, a disk that hangs) keeps its connections open without answering: neither
    `statement_timeout` nor the kernel's timeouts end such a wait. If a new connection gets no answer either, the
    waiting ones are cut, and their requests are answered with 503.
    """

    def __init__(self) -> None:
        self._ping: Ping | None = None

    def look(self, threads: list[AnsweringThread], now: float) -> None:
        hung = self._ping is not None and self._ping.is_hung()
        patience = PING_SECONDS if hung else HANGING_SECONDS
        waiting = [thread for thread in threads if _waits_for_database(thread, now, patience)]
        if not waiting:
            if self._ping is not None and self._ping.is_done():
                self._ping = None
            return
        if self._ping is None or self._ping.is_done():
            if hung:
                self._cut(waiting)
            self._ping = Ping()
        elif hung:
            self._cut(waiting)

    @staticmethod
    def _cut(threads: list[AnsweringThread]) -> None:
        for thread in threads:
            connection = thread.database.connection if thread.database is not None else None
            if connection is not None and not connection.closed:
                log.warning("database_hangs", thread=thread.name)
                # To the thread that waits, it looks as if the server went away.
                with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


def _waits_for_database(thread: AnsweringThread, now: float, patience: float) -> bool:
    if thread.request is None or now - thread.started_at < patience or thread.database is None:
        return False
    connection = thread.database.connection
    return (
        connection is not None
        and not connection.closed
        and connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE
    )


class Ping(threading.Thread):
    """One attempt to connect and run a query."""

    def __init__(self) -> None:
        super().__init__(name="database-ping", daemon=True)
        self._started_at = time.monotonic()
        self._answered = False
        self.start()

    def run(self) -> None:
        options: dict[str, Any] = connections["default"].get_connection_params()
        try:
            with psycopg.connect(
                **{
                    key: value
                    for key, value in options.items()
                    if key in ("host", "port", "user", "password", "dbname")
                },
                connect_timeout=int(PING_SECONDS),
                autocommit=True,
            ) as connection:
                connection.execute("SELECT 1")
            self._answered = True
        except psycopg.Error as error:
            log.warning("database_does_not_answer", error=type(error).__name__)

    def is_done(self) -> bool:
        return not self.is_alive()

    def is_hung(self) -> bool:
        if self._answered:
            return False
        return self.is_done() or time.monotonic() - self._started_at > PING_SECONDS
