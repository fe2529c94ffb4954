"""How long backups stay in their folder."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from huuva.ops.backups.manifest import manifest_of

PATTERN: Final = "huuva-*.dump"
# What a backup that was killed leaves behind.
PARTS: Final = ".huuva-*.dump.part"
PART_AGE: Final = timedelta(days=1)


def prune(folder: Path, now: datetime, days: int) -> list[Path]:
    """Deletes the backups in the folder that are older than so many days, and returns them. The newest one stays
    however old it is; files with other names are none of ours."""
    backups = sorted(folder.glob(PATTERN), key=_modified)
    old = [
        file
        for file in backups[:-1]
        if now.timestamp() - _modified(file) > timedelta(days=days).total_seconds()
    ]
    for file in old:
        file.unlink(missing_ok=True)
        # After it: a backup without its manifest can't be restored, a manifest alone harms nobody.
        manifest_of(file).unlink(missing_ok=True)
    for part in folder.glob(PARTS):
        if now.timestamp() - _modified(part) > PART_AGE.total_seconds():
            part.unlink(missing_ok=True)
    return old


def _modified(file: Path) -> float:
    return file.stat().st_mtime
