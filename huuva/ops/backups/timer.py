"""A backup each day, for containers, which have no systemd; and the deletion of old backups."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from types import FrameType
from typing import Final

from django.utils import timezone

from huuva.ops.backups.manifest import manifest_of

DAY: Final = timedelta(days=1)
# After a backup that failed.
RETRY: Final = timedelta(hours=1)
# The clock may be set, and the machine may sleep: it is read again after this time.
LOOK_SECONDS: Final = 60.0

PATTERN: Final = "huuva-*.dump"
# Left behind by a backup that was killed.
PARTS: Final = ".huuva-*.dump.part"
PART_AGE: Final = timedelta(days=1)


def next_run(now: datetime, at: time_of_day) -> datetime:
    """The next time after `now` that is `at` in its time zone."""
    today = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    return today if today > now else today + DAY


def run_daily(
    at: time_of_day,
    make: Callable[[], bool],
    last_success: datetime | None,
    *,
    clock: Callable[[], datetime] = timezone.now,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Makes a backup each day at that time of UTC until the process ends. `make` returns whether it succeeded: after a
    failure it is called again in an hour. An overdue backup, for example after the machine was off, is made at once."""
    now = clock()
    due = next_run(now, at) if last_success is not None and now - last_success < DAY else now
    while True:
        while (left := (due - clock()).total_seconds()) > 0:
            sleep(min(left, LOOK_SECONDS))
        succeeded = make()
        now = clock()
        due = next_run(now, at) if succeeded else min(next_run(now, at), now + RETRY)


def end_on_sigterm() -> None:
    """SIGTERM ends the process by an exception, so that a running backup ends its program and removes its file."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def prune(folder: Path, now: datetime, days: int) -> list[Path]:
    """Deletes the backups in the folder that are older than `days`, and returns them. The newest one is never deleted,
    nor are files with other names."""
    backups = sorted(folder.glob(PATTERN), key=_modified)
    old = [
        file
        for file in backups[:-1]
        if now.timestamp() - _modified(file) > timedelta(days=days).total_seconds()
    ]
    for file in old:
        file.unlink(missing_ok=True)
        # Last: a backup without its manifest can't be restored, a manifest alone does no harm.
        manifest_of(file).unlink(missing_ok=True)
    for part in folder.glob(PARTS):
        if now.timestamp() - _modified(part) > PART_AGE.total_seconds():
            part.unlink(missing_ok=True)
    return old


def _modified(file: Path) -> float:
    return file.stat().st_mtime
