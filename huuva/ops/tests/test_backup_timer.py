"""The timer of backups, and the deletion of old ones."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from core.env import ConfigError, Env
from huuva.ops.backups.timer import DAY, LOOK_SECONDS, RETRY, next_run, prune, run_daily

AT = time(3, 40)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Stopped(Exception):
    """Ends a timer that would run forever."""


class Clock:
    """A clock that `sleep` moves on, until `end`."""

    def __init__(self, now: datetime, end: datetime) -> None:
        self.now = now
        self.end = end
        self.longest = 0.0

    def read(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.now += timedelta(seconds=seconds)
        if self.now > self.end:
            raise Stopped


def runs(last: datetime | None, *results: bool, days: int = 3) -> list[datetime]:
    """The times of the timer's backups from noon on, with these results; the last one repeats."""
    clock = Clock(NOON, NOON + timedelta(days=days))
    times: list[datetime] = []

    def make() -> bool:
        times.append(clock.now)
        return results[min(len(times), len(results)) - 1]

    with pytest.raises(Stopped):
        run_daily(AT, make, last, clock=clock.read, sleep=clock.sleep)
    assert clock.longest <= LOOK_SECONDS
    return times


def test_backup_is_made_each_day_at_its_time() -> None:
    first = datetime(2026, 12, 2, 3, 40, tzinfo=UTC)
    assert runs(NOON - timedelta(hours=8), True) == [first, first + DAY, first + 2 * DAY]


@pytest.mark.parametrize("last", [None, NOON - DAY, NOON - 5 * DAY])
def test_late_backup_is_made_at_once(last: datetime | None) -> None:
    assert runs(last, True)[:2] == [NOON, datetime(2026, 12, 2, 3, 40, tzinfo=UTC)]


def test_failed_backup_is_made_again_after_an_hour() -> None:
    assert runs(None, False, False, True)[:4] == [
        NOON,
        NOON + RETRY,
        NOON + 2 * RETRY,
        datetime(2026, 12, 2, 3, 40, tzinfo=UTC),
    ]


def test_retry_is_not_later_than_the_time_of_the_day() -> None:
    times = runs(NOON - timedelta(hours=8), False, days=1)
    assert times[:2] == [datetime(2026, 12, 2, 3, 40, tzinfo=UTC), datetime(2026, 12, 2, 4, 40, tzinfo=UTC)]


def test_clock_that_is_set_forward_is_noticed_within_a_minute() -> None:
    clock = Clock(NOON, NOON + 2 * DAY)
    times: list[datetime] = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now == NOON + timedelta(seconds=LOOK_SECONDS):
            clock.now = datetime(2026, 12, 2, 3, 39, 30, tzinfo=UTC)

    def make() -> bool:
        times.append(clock.now)
        return True

    with pytest.raises(Stopped):
        run_daily(AT, make, NOON, clock=clock.read, sleep=sleep)
    assert times[0] == datetime(2026, 12, 2, 3, 40, tzinfo=UTC)


def test_next_run_is_never_now() -> None:
    at = datetime(2026, 12, 1, 3, 40, tzinfo=UTC)
    assert next_run(at, AT) == at + DAY
    assert next_run(at - timedelta(microseconds=1), AT) == at


def make_backup(folder: Path, name: str, age_days: float) -> Path:
    file = folder / name
    for path in (file, folder / f"{name}.json"):
        path.write_text("")
        at = (NOON - timedelta(days=age_days)).timestamp()
        os.utime(path, (at, at))
    return file


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_old_backups_are_deleted_with_their_manifests(tmp_path: Path) -> None:
    make_backup(tmp_path, "huuva-1.dump", 14.1)
    make_backup(tmp_path, "huuva-2.dump", 13.9)
    make_backup(tmp_path, "mine.dump", 100)
    assert [file.name for file in prune(tmp_path, NOON, 14)] == ["huuva-1.dump"]
    assert names(tmp_path) == {"huuva-2.dump", "huuva-2.dump.json", "mine.dump", "mine.dump.json"}


def test_newest_backup_is_never_deleted(tmp_path: Path) -> None:
    make_backup(tmp_path, "huuva-1.dump", 40)
    make_backup(tmp_path, "huuva-2.dump", 30)
    prune(tmp_path, NOON, 14)
    assert names(tmp_path) == {"huuva-2.dump", "huuva-2.dump.json"}


def test_files_of_killed_backups_are_deleted_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".huuva-1.dump.part", tmp_path / ".huuva-2.dump.part"
    for file, days in ((old, 1.1), (young, 0.1)):
        file.write_text("")
        at = (NOON - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))
    assert prune(tmp_path, NOON, 14) == []
    assert names(tmp_path) == {young.name}


def test_missing_folder_has_nothing_to_prune(tmp_path: Path) -> None:
    assert prune(tmp_path / "none", NOON, 14) == []


def test_time_of_day_is_read_strictly() -> None:
    def read(value: str) -> time:
        return Env(environ={"AT": value}).time_of_day("AT", "03:40")

    assert (read("04:05"), read("")) == (time(4, 5), AT)
    for wrong in ("4 o'clock", "24:00", "03:40:10", "3"):
        with pytest.raises(ConfigError, match="AT must be a time of the day"):
            read(wrong)
