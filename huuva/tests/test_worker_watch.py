"""When a worker counts as hanging."""

from __future__ import annotations

import pytest

from huuva.worker_watch import PATIENCE_SECONDS, HangDetector

LATE = PATIENCE_SECONDS + 1


class Clocked:
    """Checks each second from 0 on."""

    def __init__(self) -> None:
        self.detector = HangDetector(0.0)
        self.now = 0.0

    def reason(
        self,
        seconds: float,
        *,
        waiting: int | None = 1,
        busy: bool = False,
        loop_runs: bool = True,
        takes: bool = False,
    ) -> str | None:
        """The result after this many seconds."""
        reason = None
        taken_at = 0.0
        for _ in range(int(seconds)):
            self.now += 1
            if loop_runs:
                self.detector.loop_ran_at = self.now
            if takes:
                taken_at = self.now
            reason = reason or self.detector.reason(self.now, waiting=waiting, taken_at=taken_at, busy=busy)
        return reason


def test_waiting_messages_end_the_worker() -> None:
    assert Clocked().reason(PATIENCE_SECONDS) is None
    assert Clocked().reason(LATE) == "it takes no tasks"


def test_an_event_loop_that_hangs_ends_the_worker() -> None:
    assert Clocked().reason(LATE, loop_runs=False, waiting=0) == "its event loop does not run"


@pytest.mark.parametrize("healthy", [{"waiting": 0}, {"busy": True}, {"takes": True}])
def test_a_healthy_worker_keeps_running(healthy: dict[str, bool]) -> None:
    assert Clocked().reason(10 * LATE, **healthy) is None  # type: ignore[arg-type]


def test_while_valkey_is_away_the_worker_keeps_running() -> None:
    clocked = Clocked()
    assert clocked.reason(10 * LATE, waiting=None, loop_runs=False) is None
    # Then the worker has its time to connect again.
    assert clocked.reason(PATIENCE_SECONDS, loop_runs=False) is None
    assert clocked.reason(LATE) == "it takes no tasks"


def test_a_moment_of_work_resets_the_time() -> None:
    clocked = Clocked()
    for _ in range(5):
        assert clocked.reason(PATIENCE_SECONDS - 1) is None
        assert clocked.reason(1, waiting=0) is None
