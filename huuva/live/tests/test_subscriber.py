"""The subscription by itself, while Valkey is away."""

from __future__ import annotations

import asyncio

import pytest

from huuva.live.subscriber import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, Subscriber


class Enough(Exception):
    pass


def test_valkey_may_be_away_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    states: list[bool] = []

    async def away(subscriber: Subscriber) -> None:
        raise ConnectionError

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 5000:
            raise Enough

    monkeypatch.setattr(Subscriber, "_listen", away)
    monkeypatch.setattr("huuva.live.subscriber.asyncio.sleep", sleep)
    with pytest.raises(Enough):
        asyncio.run(
            Subscriber("redis://127.0.0.1:1/0", lambda hint: None, lambda pairing: None, states.append).run()
        )

    assert waits[:3] == [FIRST_WAIT_SECONDS * factor for factor in (1, 2, 4)]
    assert max(waits) == waits[-1] == LONGEST_WAIT_SECONDS
    assert set(states) == {False}
