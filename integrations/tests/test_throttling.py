import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from rest_framework.request import Request

from core.problems import Problem
from core.valkey_client import Breaker, ValkeyClient
from integrations import throttling
from integrations.key_cache import KeyGrant
from integrations.tests import factories
from integrations.throttling import CallCounter, KeyRateThrottle, RateLimit

SECOND = 1000


@pytest.fixture
def counter() -> CallCounter:
    return CallCounter(ValkeyClient(settings.REDIS_URL))


@pytest.fixture
def name() -> Iterator[str]:
    name = f"test-{uuid4().hex}"
    yield name
    redis.Redis.from_url(settings.REDIS_URL).delete(f"huuva:rate:{name}")


def age_calls(name: str, milliseconds: int) -> None:
    """Make every counted call of `name` this much older, instead of waiting."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    key = f"huuva:rate:{name}"
    for index, at in enumerate(client.lrange(key, 0, -1)):
        client.lset(key, index, int(at) - milliseconds)


def count(counter: CallCounter, name: str, limit: int) -> RateLimit:
    answer = counter.count(name, limit)
    assert answer is not None
    return answer


def test_exactly_the_limit_passes_in_a_minute(counter: CallCounter, name: str) -> None:
    answers = [count(counter, name, 5) for _ in range(8)]

    assert [answer.retry_after > 0 for answer in answers] == [False] * 5 + [True] * 3
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert all(0 < answer.reset_seconds <= 60 for answer in answers)


def test_threads_share_one_exact_limit(counter: CallCounter, name: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: count(counter, name, 20), range(60)))

    assert sum(answer.retry_after == 0 for answer in answers) == 20


def test_no_double_burst_around_the_edge_of_a_minute(counter: CallCounter, name: str) -> None:
    for _ in range(5):
        count(counter, name, 5)
    age_calls(name, 59 * SECOND)

    late = count(counter, name, 5)

    assert late.retry_after == late.reset_seconds == 1


def test_calls_come_back_one_by_one_as_they_grow_a_minute_old(counter: CallCounter, name: str) -> None:
    count(counter, name, 2)
    age_calls(name, 30 * SECOND)
    count(counter, name, 2)
    assert count(counter, name, 2).retry_after in (29, 30)
    age_calls(name, 30 * SECOND)

    assert count(counter, name, 2).retry_after == 0
    assert count(counter, name, 2).retry_after in (29, 30)


def test_a_refused_call_does_not_lengthen_the_wait(counter: CallCounter, name: str) -> None:
    count(counter, name, 1)
    for _ in range(5):
        count(counter, name, 1)
    age_calls(name, 60 * SECOND)

    assert count(counter, name, 1).retry_after == 0


def test_a_lowered_limit_holds_at_once(counter: CallCounter, name: str) -> None:
    for _ in range(5):
        count(counter, name, 10)

    assert count(counter, name, 3) == RateLimit(3, 0, mock.ANY, mock.ANY)
    assert count(counter, name, 3).retry_after > 0


def test_counts_vanish_from_valkey_when_nobody_calls(counter: CallCounter, name: str) -> None:
    count(counter, name, 5)

    assert 0 < redis.Redis.from_url(settings.REDIS_URL).pttl(f"huuva:rate:{name}") <= 60 * SECOND


def test_counting_goes_on_after_valkey_lost_its_scripts(counter: CallCounter, name: str) -> None:
    count(counter, name, 5)
    redis.Redis.from_url(settings.REDIS_URL).script_flush()

    assert count(counter, name, 5).remaining == 3


def test_without_valkey_calls_pass(tmp_path: Path) -> None:
    counter = CallCounter(ValkeyClient(f"unix://{tmp_path}/nobody.sock"))

    assert counter.count("wolt", 1) is None


def test_one_call_waits_for_a_hung_valkey_the_next_ones_pass_it_by(tmp_path: Path) -> None:
    # It takes connections and never answers.
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.setblocking(False)
        counter = CallCounter(ValkeyClient(f"unix://{path}", Breaker(lambda: 1000.0)))

        assert counter.count("wolt", 1) is None
        assert connections(server) > 0
        for _ in range(100):
            assert counter.count("wolt", 1) is None
        assert connections(server) == 0


def connections(server: socket.socket) -> int:
    """How many wait to be taken; takes them."""
    found = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found


def test_headers_follow_the_draft() -> None:
    assert RateLimit(1200, 12, 30, 0).headers() == {
        "RateLimit-Policy": '"key";q=1200;w=60',
        "RateLimit": '"key";r=12;t=30',
    }


# --- the throttle ----------------------------------------------------------------------------------------------------


def ask(grant: KeyGrant | None) -> Any:
    http = factories.http_request("GET", "/")
    request = Request(http)
    request.auth = grant
    assert KeyRateThrottle().allow_request(request, mock.Mock())
    return getattr(http, "rate_limit", None)


def grant(prefix: str, rate_limit: int | None) -> KeyGrant:
    return KeyGrant(1, "wolt", prefix, frozenset(), None, rate_limit)


def test_a_call_over_the_limit_is_told_when_to_come_back(name: str) -> None:
    assert ask(grant(name, 1)).remaining == 0

    with pytest.raises(Problem) as refusal:
        ask(grant(name, 1))

    problem = refusal.value
    assert (problem.status_code, problem.code) == (429, "rate_limited")
    assert 1 <= int(problem.headers["Retry-After"]) <= 60
    assert problem.headers["RateLimit"].startswith('"key";r=0;t=')


def test_a_key_without_a_limit_of_its_own_has_the_servers(name: str, settings: Any) -> None:
    settings.HUUVA_RATE_LIMIT = 7

    assert ask(grant(name, None)).limit == 7


@pytest.mark.parametrize("rate_limit", [0, None])
def test_zero_is_no_limit(rate_limit: int | None, name: str, settings: Any) -> None:
    settings.HUUVA_RATE_LIMIT = 0

    with mock.patch.object(throttling, "call_counter", side_effect=AssertionError("asked Valkey")):
        assert ask(grant(name, rate_limit)) is None


def test_calls_without_a_key_are_not_counted() -> None:
    with mock.patch.object(throttling, "call_counter", side_effect=AssertionError("asked Valkey")):
        assert ask(None) is None
