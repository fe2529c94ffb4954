"""Requests wait for a thread for a limited time; probes and orders don't wait for boards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from core.http.limits import WAIT_SECONDS
from huuva.server import pool as pools
from huuva.server.pool import Pool
from huuva.server.requests import Request
from huuva.server.tests.granian_doubles import Protocol, Scope

SECONDS = 20


class Answering:
    """Answers when `free` is set; `started` has the paths in their order."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.started: list[str] = []
        self.some = threading.Condition()

    def __call__(self, request: Request) -> None:
        with self.some:
            self.started.append(request.path)
            self.some.notify_all()
        if not request.path.startswith("/livez"):
            assert self.free.wait(SECONDS)
        request.answer(200, [], b"")

    def wait_for(self, count: int) -> None:
        with self.some:
            assert self.some.wait_for(lambda: len(self.started) >= count, SECONDS), self.started


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.free.set()


def ask(pool: Pool, path: str, method: str = "GET") -> Protocol:
    protocol = Protocol()
    pool.submit(Request(Scope(path, method), protocol, path))
    return protocol


def test_probes_answer_while_all_threads_are_busy(answering: Answering) -> None:
    pool = Pool(answering, threads=2)
    for _ in range(5):
        ask(pool, "/api/orders", "POST")
    answering.wait_for(2)
    probe = ask(pool, "/livez")
    answering.wait_for(3)

    assert answering.started[2] == "/livez"
    assert probe.gone.callback is None


def test_a_request_that_waits_too_long_is_turned_away(answering: Answering) -> None:
    pool = Pool(answering, threads=1)
    ask(pool, "/api/orders/1")
    answering.wait_for(1)
    late = ask(pool, "/api/orders/2")
    pool.expire(time.monotonic() + WAIT_SECONDS - 1)
    assert late.status is None
    pool.expire(time.monotonic() + WAIT_SECONDS + 1)

    assert late.status == 503
    assert late.answers[0][1]["retry-after"] == "2"
    answering.free.set()
    ask(pool, "/api/orders/3")
    answering.wait_for(2)
    assert answering.started == ["/api/orders/1", "/api/orders/3"]


def test_one_request_more_than_may_wait_is_turned_away(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MOST_WAITING", 2)
    pool = Pool(answering, threads=1)
    ask(pool, "/api/orders")
    answering.wait_for(1)
    waiting = [ask(pool, "/api/orders") for _ in range(3)]

    assert [protocol.status for protocol in waiting] == [None, None, 503]


@pytest.mark.parametrize("path", ["/display/board", "/api/orders", "/api/orders/events", "/admin/"])
def test_boards_and_large_reads_leave_threads_to_orders(answering: Answering, path: str) -> None:
    pool = Pool(answering, threads=2)
    for _ in range(20):
        ask(pool, path)
    answering.wait_for(1)
    ask(pool, "/api/orders/7")
    answering.wait_for(2)

    assert answering.started == [path, "/api/orders/7"]
    answering.free.set()
    answering.wait_for(21)


def test_board_whose_client_has_gone_is_not_read(answering: Answering) -> None:
    pool = Pool(answering, threads=2)
    ask(pool, "/display/board?1")
    answering.wait_for(1)
    gone = [ask(pool, "/display/board?gone") for _ in range(10)]
    stays = ask(pool, "/display/board?stays")
    for protocol in gone:
        protocol.gone.complete()
    answering.free.set()
    answering.wait_for(2)

    assert answering.started == ["/display/board?1", "/display/board?stays"]
    assert stays.gone.callback is not None


def test_board_that_waits_too_long_is_turned_away(answering: Answering) -> None:
    pool = Pool(answering, threads=2)
    ask(pool, "/pickup/board")
    answering.wait_for(1)
    late = ask(pool, "/pickup/board")
    pool.expire(time.monotonic() + WAIT_SECONDS + 1)

    assert late.status == 503
