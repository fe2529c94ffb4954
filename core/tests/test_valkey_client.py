from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from core.valkey_client import BREAK_SECONDS, Breaker, ValkeyClient


def test_an_answer_comes_through_and_keeps_the_breaker_closed() -> None:
    valkey = ValkeyClient(settings.REDIS_URL)

    assert valkey.ask(lambda client: bool(client.ping())) is True
    assert not valkey.breaker.is_open


def test_without_a_server_there_is_no_answer_and_no_error(tmp_path: Path) -> None:
    valkey = ValkeyClient(f"unix://{tmp_path}/nobody.sock")

    assert valkey.ask(lambda client: client.ping()) is None
    assert valkey.breaker.is_open


def test_an_error_of_ours_is_not_taken_for_a_server_that_is_away() -> None:
    valkey = ValkeyClient(settings.REDIS_URL)

    with pytest.raises(ZeroDivisionError):
        valkey.ask(lambda client: 1 // 0)
    assert not valkey.breaker.is_open


def test_one_caller_at_a_time_tries_a_server_that_was_away() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    breaker.failed()

    assert not breaker.allows()
    now[0] += BREAK_SECONDS
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]
