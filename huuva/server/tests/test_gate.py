"""Bodies are received completely, within limits of size and time, before a thread gets the request."""

from __future__ import annotations

import time

import orjson
import pytest

from core.http.limits import API_BODY_BYTES, BODY_SECONDS, MOST_HELD_BYTES
from huuva.server import gate as gates
from huuva.server.gate import Gate
from huuva.server.requests import Request
from huuva.server.tests.granian_doubles import Scope, Watcher


class Waiting:
    """A pool that only stores requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def submit(self, request: Request) -> None:
        self.requests.append(request)


@pytest.fixture
def pool() -> Waiting:
    return Waiting()


@pytest.fixture
def gate(pool: Waiting) -> Gate:
    return Gate(pool)  # type: ignore[arg-type]


def arrive(gate: Gate, **headers: str) -> Watcher:
    watcher = Watcher(Scope(**headers))
    gate.receive(watcher)
    return watcher


def code(watcher: Watcher) -> str:
    return str(orjson.loads(watcher.proto.answers[0][2])["code"])


def test_request_without_a_body_goes_straight_to_the_pool(gate: Gate, pool: Waiting) -> None:
    arrive(gate)
    arrive(gate, content_length="0")

    assert [request.body for request in pool.requests] == [b"", b""]
    assert gate.reading == 0


def test_body_reaches_the_pool_when_its_last_byte_has_come(gate: Gate, pool: Waiting) -> None:
    watcher = arrive(gate, content_length="5")
    watcher.proto.chunk.complete(b"he")
    assert pool.requests == []
    watcher.proto.chunk.complete(b"llo")

    assert [request.body for request in pool.requests] == [b"hello"]
    assert gate.reading == 0


def test_request_waits_for_a_thread_from_its_last_byte_on(
    gate: Gate, pool: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = arrive(gate, content_length="5")
    later = time.monotonic() + 9
    monkeypatch.setattr(time, "monotonic", lambda: later)
    watcher.proto.chunk.complete(b"hello")

    assert pool.requests[0].arrived == later


def test_chunked_body_ends_with_an_empty_chunk(gate: Gate, pool: Waiting) -> None:
    watcher = arrive(gate, transfer_encoding="chunked")
    watcher.proto.chunk.complete(b"{}")
    assert pool.requests == []
    watcher.proto.chunk.complete(b"")

    assert [request.body for request in pool.requests] == [b"{}"]


@pytest.mark.parametrize(
    "headers, chunks",
    [({"content_length": "5"}, [b"he", b""]), ({"transfer_encoding": "chunked"}, [b""])],
)
def test_interrupted_body_is_refused(
    gate: Gate, pool: Waiting, headers: dict[str, str], chunks: list[bytes]
) -> None:
    watcher = arrive(gate, **headers)
    for chunk in chunks:
        watcher.proto.chunk.complete(chunk)

    assert watcher.proto.status == 400
    assert pool.requests == []
    assert gate.reading == 0


@pytest.mark.parametrize(
    "path, limit",
    [("/api/orders", API_BODY_BYTES), ("/admin/login/", 16 * 1024), ("/display/bump", 64 * 1024)],
)
def test_body_over_the_limit_of_its_path_is_refused_unread(
    gate: Gate, pool: Waiting, path: str, limit: int
) -> None:
    large = Watcher(Scope(path, content_length=str(limit + 1)))
    gate.receive(large)
    fitting = Watcher(Scope(path, content_length=str(limit)))
    gate.receive(fitting)

    assert large.proto.status == 413
    assert code(large) == "body_too_large"
    assert large.proto.answers[0][1]["connection"] == "close"
    assert fitting.proto.status is None
    assert pool.requests == []


def test_chunked_body_over_the_limit_is_refused(gate: Gate, pool: Waiting) -> None:
    watcher = arrive(gate, transfer_encoding="chunked")
    for _ in range(2):
        watcher.proto.chunk.complete(b"x" * (API_BODY_BYTES // 2 + 1))

    assert watcher.proto.status == 413
    assert pool.requests == []


def test_stalled_body_is_ended_and_a_steady_one_continues(gate: Gate, pool: Waiting) -> None:
    stalled = arrive(gate, content_length="5000")
    stalled.proto.chunk.complete(b"x")
    steady = arrive(gate, content_length="900000")
    steady.proto.chunk.complete(b"x" * 100_000)
    gate.expire(time.monotonic() + 2)
    assert stalled.proto.status is None
    gate.expire(time.monotonic() + 4)

    assert stalled.proto.status == 408
    assert code(stalled) == "body_too_slow"
    assert stalled.proto.chunk.cancelled
    assert steady.proto.status is None


def test_no_body_takes_longer_than_its_deadline(gate: Gate, pool: Waiting) -> None:
    watcher = arrive(gate, content_length="900000")
    watcher.proto.chunk.complete(b"x" * 500_000)
    gate.expire(time.monotonic() + BODY_SECONDS + 0.1)

    assert watcher.proto.status == 408
    # What comes later meets nobody.
    watcher.proto.chunk.complete(b"x" * 400_000)
    assert pool.requests == []


def test_one_body_too_many_ends_the_oldest(
    gate: Gate, pool: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "MOST_BODIES", 2)
    first, second = (arrive(gate, content_length="5") for _ in range(2))
    assert arrive(gate, content_length="5").proto.status == 503
    monkeypatch.setattr(gates, "STALLED_SECONDS", 0.0)
    third = arrive(gate, content_length="5")
    third.proto.chunk.complete(b"hello")

    assert [first.proto.status, second.proto.status] == [408, None]
    assert len(pool.requests) == 1


def test_memory_of_bodies_is_bounded_and_released(gate: Gate, pool: Waiting) -> None:
    full = MOST_HELD_BYTES // API_BODY_BYTES
    for _ in range(full):
        arrive(gate, content_length=str(API_BODY_BYTES)).proto.chunk.complete(b"x" * API_BODY_BYTES)
    assert len(pool.requests) == full
    refused = arrive(gate, content_length="5")
    refused.proto.chunk.complete(b"hello")
    assert refused.proto.status == 503

    pool.requests[0].end()
    pool.requests[0].end()  # twice is once
    arrive(gate, content_length="5").proto.chunk.complete(b"hello")
    assert len(pool.requests) == full + 1
