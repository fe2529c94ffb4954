"""An answer that waits for a database that hangs is ended; one that waits for a busy database is not."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connections

from core.http.limits import HANGING_SECONDS
from huuva.server import watchdog
from huuva.server.pool import Lane
from huuva.server.requests import Request
from huuva.server.tests.granian_doubles import Protocol, Scope
from huuva.server.watchdog import DatabaseWatch


class FakePing:
    hung = True

    def is_done(self) -> bool:
        return True

    def is_hung(self) -> bool:
        return self.hung


class LongAnswer:
    """Asks the database something that takes minutes; `error` is how that ended."""

    def __init__(self) -> None:
        self.asking = threading.Event()
        self.ended = threading.Event()
        self.error: Exception | None = None

    def __call__(self, request: Request) -> None:
        connection = connections["default"]
        try:
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
                self.asking.set()
                cursor.execute("SELECT pg_sleep(120)")
        except OperationalError as error:
            self.error = error
        finally:
            connection.close()
            self.ended.set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hung", [True, False])
def test_wait_is_cut_only_when_the_database_hangs(hung: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "Ping", FakePing)
    monkeypatch.setattr(FakePing, "hung", hung)
    answer = LongAnswer()
    lane = Lane("test", 1, answer)
    lane.submit(Request(Scope(), Protocol(), "/"))
    assert answer.asking.wait(20)
    watch = DatabaseWatch()
    deadline = time.monotonic() + 20
    while not answer.ended.wait(0.05) and time.monotonic() < deadline:
        later = time.monotonic() + HANGING_SECONDS + 1
        watch.look(lane.threads, later)  # begins to ask whether it hangs
        watch.look(lane.threads, later)
        if not hung:
            break

    assert answer.ended.is_set() == hung
    assert (answer.error is not None) == hung
    if not hung:
        _end(lane)
        assert answer.ended.wait(20)


def _end(lane: Lane) -> None:
    wrapper: Any = lane.threads[0].database
    wrapper.connection.cancel()


@pytest.mark.django_db(transaction=True)
def test_database_that_answers_does_not_hang() -> None:
    ping = watchdog.Ping()
    ping.join(20)

    assert ping.is_done()
    assert not ping.is_hung()


def test_database_that_does_not_answer_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def get_connection_params(self) -> dict[str, Any]:
            return {"host": "/nowhere", "dbname": "huuva", "user": "huuva"}

    monkeypatch.setattr(watchdog, "connections", {"default": Away()})
    ping = watchdog.Ping()
    ping.join(20)

    assert ping.is_hung()
