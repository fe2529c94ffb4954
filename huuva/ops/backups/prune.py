"""Deletes old backups."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from huuva.ops.backups.manifest import manifest_of

PATTERN: Final = "huuva-*.dump"
# Left behind by a backup that was killed.
PARTS: Final = ".huuva-*.dump.part"
PART_AGE: Final = timedelta(days=1)


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
