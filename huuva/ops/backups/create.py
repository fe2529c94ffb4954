"""Making a backup."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import psycopg

from core.home import make_folder
from huuva.ops.backups import BackupRefused
from huuva.ops.backups.database import connect, count_rows, run
from huuva.ops.backups.manifest import MANIFEST_VERSION, Manifest, digest_of, manifest_of

FOLDER: Final = "backups"


def default_file(home: Path, now: datetime) -> Path:
    return home / FOLDER / f"huuva-{now:%Y%m%dT%H%M%SZ}.dump"


def backup(url: str, file: Path) -> Manifest:
    """Writes the database at `url` to `file` and its manifest beside it; both are readable by their owner only.

    The file gets its name when it is complete, so an interrupted backup never looks like one. Raises BackupError;
    BackupRefused if nothing was tried.
    """
    if file.exists():
        raise BackupRefused(f"{file} is there already: name another file.")
    make_folder(file.parent)
    with _exclusive_file(file) as output:
        part = Path(output.name)
        with connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            [(snapshot,)] = connection.execute("SELECT pg_export_snapshot()")
            run(
                "pg_dump",
                url,
                ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"],
                stdout=output,
            )
            os.fsync(output.fileno())
            rows = count_rows(connection)
            server = connection.info.server_version
        # Reads the whole table of contents: a file that can't be listed can't be restored.
        run("pg_restore", None, ["--list", str(part)], stdout=subprocess.DEVNULL)
        manifest = Manifest(
            version=MANIFEST_VERSION,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server=server,
            sha256=digest_of(part),
            bytes=part.stat().st_size,
            rows=rows,
        )
        manifest_file = manifest_of(file)
        manifest_file.touch(mode=0o600)
        manifest_file.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        part.rename(file)
    return manifest


@contextmanager
def _exclusive_file(file: Path) -> Iterator[IO[bytes]]:
    """The empty file that becomes `file` when it is complete, locked for one backup; removed afterwards. The file of a
    killed backup is used again: the kernel has released its lock."""
    part = file.with_name(f".{file.name}.part")
    part.touch(mode=0o600)
    with part.open("r+b") as output:
        try:
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(
                f"Another backup is writing {file}: wait for it, or name another file."
            ) from None
        try:
            output.truncate()
            yield output
        finally:
            part.unlink(missing_ok=True)
