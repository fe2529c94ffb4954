"""When a worker counts as standing still."""

from __future__ import annotations

import pytest

from huuva.worker_watch import PATIENCE_SECONDS, StandingStill

LATE = PATIENCE_SECONDS + 1


class Clocked:
    """Asks each second from 0 on."""

    def __init__(self) -> None:
        self.still = StandingStill(0.0)
        self.now = 0.0

    def reason(
        self,
        seconds: float,
        *,
        waiting: int | None = 1,
        busy: bool = False,
        turns: bool = True,
        takes: bool = False,
    ) -> str | None:
        """What it says after so many seconds of this."""
        reason = None
        taken_at = 0.0
        for _ in range(int(seconds)):
            self.now += 1
            if turns:
                self.still.turned_at = self.now
            if takes:
                taken_at = self.now
            reason = reason or self.still.reason(self.now, waiting=waiting, taken_at=taken_at, busy=busy)
        return reason


def test_messages_that_nobody_takes_end_the_worker() -> None:
    assert Clocked().reason(PATIENCE_SECONDS) is None
    assert Clocked().reason(LATE) == "it takes no tasks"


def test_an_event_loop_that_stands_ends_the_worker() -> None:
    assert Clocked().reason(LATE, turns=False, waiting=0) == "its event loop does not turn"


@pytest.mark.parametrize("healthy", [{"waiting": 0}, {"busy": True}, {"takes": True}])
def test_a_worker_that_does_what_it_can_goes_on(healthy: dict[str, bool]) -> None:
    assert Clocked().reason(10 * LATE, **healthy) is None  # type: ignore[arg-type]


def test_valkey_being_away_is_not_the_workers_fault() -> None:
    clocked = Clocked()
    assert clocked.reason(10 * LATE, waiting=None, turns=False) is None
    # Then the worker has its time to connect again.
    assert clocked.reason(PATIENCE_SECONDS, turns=False) is None
    assert clocked.reason(LATE) == "it takes no tasks"


def test_a_moment_of_work_is_enough() -> None:
    clocked = Clocked()
    for _ in range(5):
        assert clocked.reason(PATIENCE_SECONDS - 1) is None
        assert clocked.reason(1, waiting=0) is None
