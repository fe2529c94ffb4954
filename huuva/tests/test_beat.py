"""Beat continues when the clock is set back, and after a restart that follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from huuva import celery
from huuva.beat import SteadyScheduler

HOUR = timedelta(hours=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the tasks that were sent."""
    names: list[str] = []

    def send(self: Any, entry: Any, producer: Any = None, advance: bool = True, **_: Any) -> None:
        names.append(entry.name)

    monkeypatch.setattr(SteadyScheduler, "apply_async", send)
    return names


@pytest.fixture
def scheduler(tmp_path: Path, sent: list[str]) -> Iterator[SteadyScheduler]:
    scheduler = SteadyScheduler(app=celery.app, schedule_filename=str(tmp_path / "schedule"))
    yield scheduler
    scheduler.close()


def sent_ago(scheduler: SteadyScheduler, ago: timedelta) -> None:
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() - ago


def tick_all(scheduler: SteadyScheduler) -> float:
    """Until nothing is due; returns the seconds until the next is."""
    while (pause := scheduler.tick()) == 0:
        pass
    return float(pause)


def test_the_project_uses_it() -> None:
    assert celery.app.conf.beat_scheduler == "huuva.beat:SteadyScheduler"


def test_a_task_sent_in_the_future_comes_after_its_interval(
    scheduler: SteadyScheduler, sent: list[str]
) -> None:
    tick_all(scheduler)
    # An hour back: what was sent just now was sent in an hour.
    sent_ago(scheduler, -HOUR)

    pause = tick_all(scheduler)

    assert pause <= min(entry["schedule"] for entry in celery.app.conf.beat_schedule.values())
    assert all(entry.last_run_at <= entry.default_now() for entry in scheduler.schedule.values())


def test_each_task_comes_again_by_the_new_clock(scheduler: SteadyScheduler, sent: list[str]) -> None:
    sent_ago(scheduler, -HOUR)
    tick_all(scheduler)
    assert sent == []

    # By the new clock their intervals have gone by.
    sent_ago(scheduler, timedelta(days=1))
    scheduler._heap = None
    tick_all(scheduler)

    assert set(sent) >= set(celery.app.conf.beat_schedule)


def test_a_restart_does_not_bring_the_future_back(tmp_path: Path, sent: list[str]) -> None:
    name = str(tmp_path / "schedule")
    before = SteadyScheduler(app=celery.app, schedule_filename=name)
    sent_ago(before, -HOUR)
    before.close()

    after = SteadyScheduler(app=celery.app, schedule_filename=name)
    try:
        tick_all(after)
        assert all(entry.last_run_at <= entry.default_now() for entry in after.schedule.values())
    finally:
        after.close()
