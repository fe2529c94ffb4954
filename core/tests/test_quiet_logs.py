"""Work of the schedule that goes well leaves no line in the log; whatever doesn't, does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task
from celery.beat import ScheduleEntry, Scheduler

from core import logs
from huuva.celery import app


@pytest.fixture
def tasks() -> Iterator[dict[str, Task]]:
    """One task for each way to end."""

    def succeed() -> None:
        return None

    def fail() -> None:
        raise ValueError("no")

    made = {name: app.task(what, name=f"quiet.{name}") for name, what in (("good", succeed), ("bad", fail))}
    yield made
    for task in made.values():
        app.tasks.pop(task.name)


def lines(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == logger]


def test_task_that_succeeds_in_time_leaves_no_line(
    tasks: dict[str, Task], caplog: pytest.LogCaptureFixture
) -> None:
    tasks["good"].apply()
    assert lines(caplog, "celery.app.trace") == []


def test_task_that_takes_long_leaves_a_line(
    tasks: dict[str, Task], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SLOW_TASK_SECONDS", 0.0)
    tasks["good"].apply()
    [line] = lines(caplog, "celery.app.trace")
    assert "quiet.good" in line and "succeeded in" in line


def test_task_that_fails_leaves_a_line(tasks: dict[str, Task], caplog: pytest.LogCaptureFixture) -> None:
    tasks["bad"].apply()
    [line] = lines(caplog, "celery.app.trace")
    assert "quiet.bad" in line and "ValueError" in line


def test_task_that_is_tried_again_leaves_a_line() -> None:
    retry = {"id": "1", "name": "quiet.retry", "exc": "away"}
    record = logging.LogRecord("celery.app.trace", logging.INFO, "", 0, "Task retry: %(exc)s", (retry,), None)
    assert logs.is_news(record)


def test_beat_is_quiet_while_it_sends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(self: Scheduler, *args: Any, **options: Any) -> None:
        if broken:
            raise ValueError("away")

    monkeypatch.setattr(Scheduler, "apply_async", send)
    scheduler = Scheduler(app, lazy=True)
    entry = ScheduleEntry("watch", "huuva.tasks.beat_heartbeat", schedule=30.0, app=app)
    broken = False
    scheduler.apply_entry(entry)
    assert lines(caplog, "celery.beat") == []
    broken = True
    scheduler.apply_entry(entry)
    [line] = lines(caplog, "celery.beat")
    assert "Message Error" in line


def test_debug_shows_everything() -> None:
    assert logs._quiet("DEBUG") == {}
    assert set(logs._quiet("INFO")) == {"celery.beat", "celery.app.trace", "celery.worker.strategy"}
